"""Training of the occupation adapter: a low-rank change of all-MiniLM-L6-v2 that knows job titles."""
