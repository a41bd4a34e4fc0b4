"""Who exists, and by what right: people, companies, mandates, and what is remembered about them.

``models``       Person, Enterprise, LegalAccount, Mandate, LoginName, Credential
``identifiers``  parsing of credit codes, ID numbers, phones and account names
``identity``     the value (human, company or none, by what right) that sessions and tokens carry
``directory``    finding and opening accounts
``passwords``    the policy, Argon2id, and the bound on hashes at once
``sessions``     sign-in sessions: their truth is here, never in a cache
``browsers``     browsers an account knows, and those it was told to forget
``audit``        the trail, with a keyed MAC a row and sealed hash-chained batches; ``audit_verification`` finds
                 what was changed or cut off, ``audit_checks`` keeps the outcomes, ``audit_rows`` reads anything
``reasons``      why somebody changes what is another's, fit to stand in the trail
``outbox``       messages that must leave, written with what caused them

Everything here is plain SQLAlchemy and functions; nothing knows HTTP.
"""
