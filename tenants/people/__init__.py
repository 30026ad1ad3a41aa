"""Who uses the software: persons, their companies, what they may.

A person is found by a keyed term (directory.py), is sealed under keys of their own (person.py), and
belongs to tenants through memberships (members.py, roles.py).

    registered = await register(people, registration)
    session = await sign_in(people, "anna@example.ch", "correct horse battery")
    member = await current_member(people, session.token, registered.tenant_id)
    member.require(Action.READ)
"""

from mandant.tenants.people.deployment import People
from mandant.tenants.people.passwords import PasswordCost, Passwords
from mandant.tenants.people.registration import Registered, Registration, create_tenant_for, register
from mandant.tenants.people.roles import Action, Role
from mandant.tenants.people.sessions import SignedIn
from mandant.tenants.people.signin import sign_in, sign_out
from mandant.tenants.people.system import ensure_system_scope
from mandant.tenants.people.who import CurrentMember, CurrentPerson, current_member, current_person

__all__ = [
    "Action",
    "CurrentMember",
    "CurrentPerson",
    "PasswordCost",
    "Passwords",
    "People",
    "Registered",
    "Registration",
    "Role",
    "SignedIn",
    "create_tenant_for",
    "current_member",
    "current_person",
    "ensure_system_scope",
    "register",
    "sign_in",
    "sign_out",
]
