"""Appeals: when proof fails, a person decides (E01–E17, X21, section Y).

A company that cannot register, activate, reset or change its data by itself sends its papers; customer
service decides, and what was decided is done to the account in the same transaction.

==============  ============================  =========================================================
part            addresses                     what for
==============  ============================  =========================================================
``applicant``   /appeal, /appeal/identity,    the applicant's side: which kind, who he is and two proved
                /appeal/operator              phones
``materials``   /appeal/materials,            the papers and 申诉备注, the number
                /appeal/done
``result``      /appeal/result…               number and a phone's code: how it stands, what is asked for,
                                              going on with a draft, withdrawing
``password``    /a/<token>                    the one-time link: the applicant sets his own password
``desk``        /staff/appeals…               the review desk: queue, claim, comparison, papers, decision,
                                              second approval, figures
==============  ============================  =========================================================

Beneath the pages: ``models`` is the table, ``states`` says which act leads from which state to which,
``filing`` is what an applicant does, ``deciding`` what staff do, ``outcome`` what an approval changes and
``applying`` how, ``comparison`` what was told beside what is on record, ``links`` the one-time link,
``messages`` what is said by SMS, ``papers`` the seven uploads, ``retention`` what ends by itself. Files lie
in :mod:`idp.accounts.files`.
"""
