"""Who exists, and by what right: people, companies, mandates, and what is remembered about them.

``models``       Person, Enterprise, LegalAccount, Mandate, LoginName, Credential
``identifiers``  parsing of credit codes, ID numbers, phones and account names
``identity``     the value (human, company or none, by what right) that sessions and tokens carry
``directory``    finding and opening accounts
``credentials``  whose password it is, what it may not contain, and putting a new one in its place
``passwords``    the policy, Argon2id, and the bound on hashes at once
``sessions``     sign-in sessions: their truth is here, never in a cache
``standing``     as whom a person who proved himself may act; ``obstacles`` why something does not open
``app_pins``     what a person unlocks his phone app with; ``pin_rules`` what it may be
``whose_sign_ins``  which of them are whose
``browsers``     browsers an account knows, and those it was told to forget
``imports``      bringing companies and people in from a table; it maps its ``import_…``
``audit``        the trail, with a keyed MAC a row and sealed hash-chained batches
``audit_…``      ``verification`` finds what was changed or cut off, ``checks`` keeps the outcomes, ``rows``
                 reads anything, ``search`` finds
``factors``      second factors and recovery codes, an account's own
``locks``        what 不是我 does to an account
``notices``      what is told to the phone of record; ``sms_delivery`` sends it
``staff``        the people who run the platform; ``staff_roster``, ``staff_invitations``
``reasons``      why somebody changes what is another's, fit to stand in the trail
``outbox``       messages that must leave, written with what caused them

Everything here is plain SQLAlchemy and functions; nothing knows HTTP.
"""
