"""The natural person: how he gets his account, and his own pages.

==================================  ==========================================================
/register                           which registration is whose (B01, B22)
/register/person                    个人注册: what he tells, his phone, his password (B22)
/register/person/face               the face (X9); ``/finish`` how far it is, ``/here`` 在本机刷脸
/register/person/done               注册完成: 前往登录 (B18)
/register/moved                     迁移原有账号: the phone of an account of the older app (B23)
/register/moved/identity            the number of his document
/register/moved/password            a password of his own
/register/moved/done                完成
/center/person                      who he is, masked (F13)
/center/person/sessions             his sign-ins, each with 退出
==================================  ==========================================================

``registration`` and ``moved`` are the rules, the files named after them their forms and pages; ``joining`` is
what both have. What is written in the end is :mod:`idp.accounts.registering`.
"""
