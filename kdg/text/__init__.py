"""Owns how text for people is made: pages, tables and words. It knows nothing about Kafka or guarantees.

page    what a page consists of: sections for people, data for JSON
render  a page as text, Markdown or JSON
tables  rows as aligned columns or as a Markdown table; the only place that aligns columns
plain   control characters of foreign text in a message
words   the plural of a noun
"""
