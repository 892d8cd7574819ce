"""Third-party scripts, styles and icons: fetched by their lock file, never committed."""
