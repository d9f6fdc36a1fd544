"""A self-test: whether anything of the rows that are scored reaches what is trained."""
