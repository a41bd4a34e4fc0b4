r"""Ways of proving something, used by every room.

`captcha`: that a human fills in a form. `captcha_image` draws it and `captcha_sound` speaks it.
`throttle` slows guesses of passwords, `secret_guesses` those of a client's secret; `password` counts a try
and checks it.
Second factors: `totp` reads the codes of an authenticator app, `recovery_codes` makes and spends the ten
for the day it is lost, `passkeys` asks for passkeys and checks the answers. `second_factor` counts the tries
at a code and spends it; `enrolment` adds, names and removes factors, with audit line and notice.
`recovery_shown` keeps new recovery codes in sight until they are saved.
Scanning: `ticket_record` is what a scan ticket is made of, `tickets` moves it from waiting to taken.

Whom it talks to: the ephemeral store, where each proof waits to be taken once, and the factors' tables
(`idp.accounts.factors`), where each code is spent once.

The spoken digits in `sounds/` (16 kHz, mono, 16 bit) were made with espeak-ng and SoX. The pinyin voice is
asked for by name: the plain `cmn` voice of some versions reads a Chinese character letter by letter.

    for pair in 2:er4 3:san1 4:si4 5:wu3 6:liu4 7:qi1 8:ba1 9:jiu3; do
        espeak-ng -v cmn-latn-pinyin -s 120 -w raw.wav "${pair#*:}"
        sox -D raw.wav -r 16000 -b 16 -c 1 "${pair%%:*}.wav" \
            silence 1 0.01 1% reverse silence 1 0.01 1% reverse norm -4
    done
"""
