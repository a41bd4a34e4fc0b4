"""One's own account at the console.

==============  ==================================================================================
``views``       factors, recovery codes, password, sign-ins
``setting_up``  adding a second factor and showing its recovery codes, here and at the first sign-in
``words``       factors and sign-ins in words
==============  ==================================================================================
"""
