"""Models that the field's libraries do not have, or have in another manner."""
