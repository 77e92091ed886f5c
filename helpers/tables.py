"""Tables of texts that can be read."""

import pandas as pd


class TextTable:
    """A DataFrame with long texts wrapped and aligned left; as plain text it looks like the DataFrame."""

    def __init__(self, table):
        self.table = pd.DataFrame(table)

    def __repr__(self):
        return self.table.to_string()

    def _repr_html_(self):
        cells = {"text-align": "left", "white-space": "pre-wrap", "vertical-align": "top"}
        head = [{"selector": "th", "props": [("text-align", "left")]}]
        style = self.table.style.format(precision=2, escape="html")  # a text is shown as it is, tags and all
        return style.set_properties(**cells).set_table_styles(head).to_html()


def show(table):
    """Show a DataFrame, or a dict of columns, so that its long texts can be read."""
    return TextTable(table)
