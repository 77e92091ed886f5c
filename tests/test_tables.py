from helpers import show


def test_a_text_with_tags_is_shown_as_it_is():
    table = show({"answer": ["<p>Splash!</p>"]})
    assert "&lt;p&gt;Splash!&lt;/p&gt;" in table._repr_html_()
    assert "<p>Splash!</p>" in repr(table)
