"""The WSGI entry point: `gunicorn wsgi:app`."""

from msp.app import create_app

app = create_app()
