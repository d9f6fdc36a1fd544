"""What was found: ranked, appraised and put into words."""
