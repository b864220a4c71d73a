"""Where settings come from and what they become: files, Java's names, -X, the guarantee's own; contradictions and requirements."""
