"""Statements on their way to people: closing what has ended, pages, print, spreadsheets and mails."""
