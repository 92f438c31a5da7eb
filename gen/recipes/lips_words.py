"""Lines nobody ever said: words of made-up syllables in many tongues, and English words in any order."""

from __future__ import annotations

import numpy as np

# Beginnings, middles and ends of syllables in each tongue's own letters; "-" is none. Lips get
# more than their share.
TONGUES = {
    "en-us": (
        "p b m f v w t d n s sh th k g l r h j ch st pl br",
        "a e i o u ee oo ay ow ou ar or er",
        "- - m p b t n s f l k nd st",
    ),
    "en-gb-scotland": (
        "p b m f v w t d n s sh th k g l r h j ch tr bl",
        "a e i o u ee oo ay ow ou ar or er",
        "- - m p b t n s f v l k nt",
    ),
    "de": (
        "p b m f w pf t d n s sch k g l r h z st spr",
        "a e i o u ä ö ü ei au eu ie",
        "- - n m t ch f l r ng st",
    ),
    "fr": (
        "p b m f v t d n s ch j gn c g l r pl br",
        "a é è i o u ou eu an on in oi au",
        "- - - re le me be te",
    ),
    "es": (
        "p b m f v t d n s ch ll ñ c g l r j pr bl",
        "a e i o u ie ue ai",
        "- - - n s r l m",
    ),
    "it": (
        "p b m f v t d n s sc ch gh gl gn c g l r z pp bb mm",
        "a e i o u ia uo",
        "- - - - n l r",
    ),
    "pt": (
        "p b m f v t d n s ch lh nh c g l r j",
        "a e i o u ão ei ou õe",
        "- - - s r m l",
    ),
    "pl": (
        "p b m f w t d n s sz cz k g l r ch ł ż prz",
        "a e i o u y ą ę ó",
        "- - m n t s k f",
    ),
    "ru": (
        "п б м ф в т д н с ш ж ч к г л р х з",
        "а е и о у ы э ю я ё",
        "- - м н т с к п л й",
    ),
    "tr": (
        "p b m f v t d n s ş ç c k g l r h y z",
        "a e ı i o ö u ü",
        "- - m n k l r t p",
    ),
    "fi": (
        "p m v t n s k l r h j",
        "a e i o u y ä ö aa uu yö ie",
        "- - - n s t l",
    ),
    "hu": (
        "p b m f v t d n sz s cs k g l r h gy ny zs",
        "a á e é i o ó ö ő u ü",
        "- - k m n t l b p",
    ),
    "nl": (
        "p b m f v w t d n s sch k g l r h z",
        "a e i o u ee oo oe uu ij ui eu",
        "- - n m t f l k p",
    ),
    "sv": (
        "p b m f v t d n s sj k g l r h j",
        "a e i o u y å ä ö",
        "- - n m t r l p",
    ),
    "id": (
        "p b m w t d n s c k g l r h j ny ng",
        "a e i o u ai au",
        "- - n m ng t p s",
    ),
    "sw": (
        "p b m f v w t d n s sh ch k g l r h j ny mb nd",
        "a e i o u",
        "-",
    ),
}
WORDS = (  # noqa: SIM905 - a list literal would be one word a line
    "a about above after apple away baby back bamboo be beautiful because before bell best better big "
    "bird black blow boat body book both boy bread break bring brown bump but buy by camp can cup "
    "cheap child climb club come computer could deep door down drum each early eat every eye fall "
    "family far farm favour feel few fifth find fire five float fly food for found from full game "
    "give go good great grow half happy have hear heavy help her hive home hope house how improve in "
    "into is it job jump just keep know lamp late laugh leave life like listen live long look love "
    "made make map may maybe me member mind mob moment more morning most mother mouth move much mum "
    "my name never new nice number of off often old on open or other our out over own paper part "
    "pebble people perhaps phone piece place play please pop power problem pub put question quick "
    "rain rather remember rope round rub same save say see seven shape she ship should show simple "
    "sleep slow smile some soon soup speak stop storm such summer super sweep table take thank that "
    "the then there these they thing think this three through time to today together tomorrow too top "
    "two umbrella under up us very view voice wait walk want warm was watch water wave way we week "
    "well what wheel when where which while white who why wife will wind window winter wish with "
    "woman wonder word work world would yellow yes you young your "
).split()


def line(tongue: str, random: np.random.Generator) -> str:
    """A line nobody ever said: words of made-up syllables, or English words in any order, some pauses."""
    words: list[str] = []
    for _ in range(int(random.integers(5, 13))):
        if tongue.startswith("en") and random.random() < 0.7:
            words.append(str(random.choice(WORDS)))
        else:
            parts = [part.split() for part in TONGUES[tongue]]
            syllables = int(random.choice([1, 2, 3], p=[0.35, 0.45, 0.2]))
            drawn = [str(random.choice(part)) for _ in range(syllables) for part in parts]
            words.append("".join(drawn).replace("-", ""))
        if random.random() < 0.12:
            words[-1] += ","
    return " ".join(words).rstrip(",") + "."
