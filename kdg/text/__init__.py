"""How pages and tables become text, Markdown or JSON."""
