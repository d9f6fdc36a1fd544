"""What a finished fit is shown as."""
