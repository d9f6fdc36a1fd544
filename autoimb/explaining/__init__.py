"""What an exported model goes by, and where it errs: figures for whoever has the data."""
