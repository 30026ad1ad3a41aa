"""What people do that is refused. No message carries a name, an address or a secret."""

from datetime import timedelta
from math import ceil

from mandant.tenants.errors import DataUnavailable, TenantsError


class NotSignedIn(TenantsError):
    """The session or token is unknown, over or forged: which, nobody is told."""

    def __init__(self) -> None:
        super().__init__("sign in, then send the request again with the session or the token")


class SignInRefused(TenantsError):
    """Address unknown, password wrong or code wrong: the same words for all three."""

    def __init__(self) -> None:
        super().__init__("the e-mail address, the password or the code is not right")


class CodesWait(SignInRefused):
    """Too many wrong codes in a row. `retry_after`: seconds until one is looked at again."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__()
        self.retry_after = ceil(wait.total_seconds())


class PasswordsBusy(DataUnavailable):
    """More passwords wait to be hashed or compared than this process takes on."""


class SecondFactorNeeded(TenantsError):
    """Address and password are right; the code of the second factor is missing."""

    def __init__(self) -> None:
        super().__init__("send the code of your second factor, or a recovery code, as well")


class AddressTaken(TenantsError):
    """The e-mail address belongs to a person already. Never told to whoever is not signed in."""

    def __init__(self) -> None:
        super().__init__("this address has a sign-in already; sign in with it")


class InvitationOver(TenantsError):
    """The invitation is unknown, used, withdrawn, late or another person's: all the same outside."""

    def __init__(self) -> None:
        super().__init__("this invitation is not valid any more; ask for a new one")


class LastOwner(TenantsError):
    """Without this person the tenant would have no owner."""

    def __init__(self) -> None:
        super().__init__("a tenant keeps at least one owner; make somebody else an owner first")


class AlreadyMember(TenantsError):
    """The person belongs to the tenant already."""

    def __init__(self) -> None:
        super().__init__("this person belongs to the tenant already; change the role instead")


class SecondFactorState(TenantsError):
    """The second factor is on already, off already, or was not begun."""
