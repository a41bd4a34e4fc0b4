"""The natural person's own pages.

=======================  ==============================
/center/person           who he is, masked (F13)
/center/person/sessions  his sign-ins, each with 退出
=======================  ==============================
"""
