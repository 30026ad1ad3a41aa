"""The retention policy as people read it: part of a privacy notice, in three languages, and a table.

    print(markdown(notice(POLICY, LANGUAGES["de"])))

Every period in it comes from tenants/retention; here are only the words around them.
"""

from mandant.service.policy.listing import Listing, kept, listing
from mandant.service.policy.notice import LANGUAGES, Notice, notice
from mandant.service.policy.rendering import html, markdown

__all__ = ["LANGUAGES", "Listing", "Notice", "html", "kept", "listing", "markdown", "notice"]
