"""The company's pages: for its legal representative, and for an operator acting for it.

===========================  ==========================================
/center/enterprise           企业中心: the company's account (F04)
/center/enterprise/sessions  the sign-ins of the company's account
/center/operator             经办人中心: the mandate one acts under (H01–H03)
/center/operator/sessions    the operator's sign-ins for this company
===========================  ==========================================
"""
