"""The review desk: customer service decides appeals, supervisors confirm and look after the queue (E14, E17).

==============  =========================================  ============================================
part            addresses                                  what for
==============  =========================================  ============================================
``queue``       /staff/appeals, …/next                     the list, 领取下一件
``one``         /staff/appeals/<appeal>, …/claim,          one appeal: summary, comparison, papers, trail;
                …/release, …/assign, …/compare             whose hand it is in, the registry asked anew
``numbers``     …/numbers                                  whole numbers, for a reason, on record
``papers``      …/papers/<file>, …/picture, …/file         a paper to look at, or to keep
``decision``    …/decide, …/second                         通过, 退回补充, 不予通过; 复核
``figures``     /staff/appeals/figures, …/export           how the work stands, for supervisors
==============  =========================================  ============================================

``room`` is the blueprint and who may see what; ``listing`` and ``counting`` read the table; ``page`` and
``showing`` say an appeal in words, ``history`` what became of it, ``timing`` how much time is left. Who may
open an address at all is a row of :mod:`idp.web.staff_rights`; papers and numbers are further only for
whoever has the appeal in hand, confirms it or decided it.
"""
