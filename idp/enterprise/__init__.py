"""The company's pages: how it gets its account, and its centre for its representative and its operators.

===========================  ==========================================
/register/enterprise, /…     法人注册: form, proof of the representative (B01–B21)
/center/enterprise           企业中心: the company's account (F04)
/center/enterprise/sessions  the sign-ins of the company's account
/center/operator             经办人中心: the mandate one acts under (H01–H03)
/center/operator/sessions    the operator's sign-ins for this company
/activate, /activate/…       账号激活 of a company that was imported (C01–C05)
===========================  ==========================================

``room`` holds the blueprint, ``fields`` what registration and activation ask alike; ``activation`` are the
rules, ``activation_forms`` and ``activation_views`` its pages.

``registration`` are the rules of a company that registers itself, ``registration_journey`` its steps and
its end, ``registration_views`` the form, ``registration_proof`` the face and, beside it,
``registration_person``: the representative's own account.
"""
