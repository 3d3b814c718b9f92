"""Recognising a person in crisis: the Veterans Crisis Line is offered beside whatever was found."""

import re
from typing import Final

from vibe4vets.resources.folding import fold
from vibe4vets.resources.schemas import CrisisRead

_SELF: Final = r"(my ?(self|slef|sef)|(him|her)self|themsel(f|ves)|yourself)"
# What people in crisis, or those beside them, type, folded. A needless offer costs nothing; a missing one might.
_SIGNS: Final = re.compile(
    r"\b("
    # by its name
    rf"suicid\w*|988|crisis|self ?harm\w*|overdos\w*|unaliv\w*|kms"
    rf"|(kil+|hurt|harm|shoot|hang|cut|off|end)(ing)? {_SELF}"
    # not wanting to live
    r"|(want|wants|wanted|wanna|gonna|going|ready|rather|wish|plan(ning)?|trying|hope|thinking (of|about)) (to )?"
    r"(die|dying|be dead|death)|wish i (was|were) (dead|gone|never born)|wish i wasnt (here|alive|born)"
    r"|(dont|do not|doesnt|no longer|not) (want|wants|wanna)( to)? (be alive|exist|wake up|go on|keep going|be here"
    r"|be around|live(?! (in|on|at|with|near|there|under|alone|off|by|where)))"
    r"|(cant|cannot|can not) (go on|keep going|keep living|carry on|live (like this|anymore)|face another day"
    r"|(do this|take (it|this|any)) ?(anymore|any more|more))"
    r"|(tired|sick|done) (of|with) (living|life|being alive|existing|this life)|(lost|no) (the )?will to live"
    r"|(reason|point|use) (to|in|of) (live|living|life|go on|going on|keep going|being (here|alive))"
    r"|nothing (left )?to live for"
    r"|whats the point (anymore|any more|of (anything|trying))|(not|isnt|worth) (worth )?(living|being alive)"
    r"|(given?|giving|gave) up on life|better off (dead|without (me|him|her))|hopeless"
    r"|(no ?one|nobody) (would|will) (even )?(miss|care|notice)|would (any ?one|any ?body) (miss|care)"
    # ending it
    r"|(end|ending|ended|take|takes|taking|took) (it all|everything|((my|his|her|their) )(own )?life)"
    r"|(thinking (of|about)|thoughts of|want to|wanna|going to|gonna|ready to|just) (end|ending) (it|things)"
    r"|(wont|not) (be (here|alive|around)|wake up) (tomorrow|tonight|any ?more|much longer)|goodbye (note|letter)"
    # how
    r"|telling me to (die|do it|kill|hurt)"
    r"|(gun|pistol|rifle|knife|shotgun) (to|in|at|against|on) (my|his|her|their|the) (head|mouth|temple|throat|chest)"
    r"|(eat|ate|swallow\w*) (a|my|his|her) (gun|bullet|barrel)|blow (my|his|her) (brains|head)"
    r"|(slit|slash|cut)(ting|ing)? (my|his|her) (wrists?|throat|veins)|noose|(have|got|bought|tied) (a|the) rope"
    r"|i (have|got) (a|my) gun and|(took|take|taking|swallowed) (all|every|too many|a bottle|a handful)( of)?"
    r"( (my|his|her|the|their))? (pills|meds)|jump(ed|ing)? (off|from) (a|the) (bridge|building|roof)"
    # in Spanish
    r"|(quier[eo]|quisiera|ganas de) (morir\w*|matar(me|se)|estar muert[oa])|me (quiero|voy a) (morir|matar)"
    r"|matarme|se quiere (morir|matar)|quitar(me|se|le)? la vida|acabar con (mi|su) vida|mejor muert[oa]"
    r"|no (quier[eo]|tengo ganas de) (vivir|seguir viv\w+|estar aqui|despertar\w*|existir)"
    r"|cansad[oa] de (vivir|la vida)|ya no (puedo mas|aguanto)|no vale la pena vivir|hacer(me|se) dano"
    r")\b"
)
_WORK: Final = (
    r"(jobs?|careers?|hiring|volunteer\w*|train(ing|ings|er)?|courses?|certificat\w+|grants?|research"
    r"|statistics|stats|data|rates?|webinars?|curriculum|conference|intern(ship)?s?)"
)
_LINE: Final = r"(suicide (prevention )?|crisis )(hot|help)?line|988"
# Of those whose work, study or gift of time it is. What is left without them may still be a sign.
_OF_WORK: Final = re.compile(
    rf"\b((suicide (prevention|awareness|intervention)|crisis intervention)( \w+){{0,3}} {_WORK}|suicide {_WORK}"
    rf"|({_LINE})( (worker|counselor|responder|operator))? (jobs?|careers?|hiring|volunteer\w*|train(ing|er)s?)"
    rf"|{_WORK} (for|at|with|in|on|as|to)( (a|an|the|answer|be))* (vet\w* )?({_LINE}|suicide prevention|crisis \w+))\b"
)
CRISIS_PHONES = ["988", "+18002738255"]
"""The numbers of the Veterans Crisis Line, the one of today and the one that older papers give."""
CRISIS_TAGS = ["crisis-line", "crisis-support", "suicide-prevention", "veterans-crisis-line"]
"""Whose telephone somebody may call in the worst hour of his life: such a number is changed with the most care."""
CRISIS_LINE = CrisisRead(
    name="Veterans Crisis Line",
    phone="988",
    instructions="Call 988, then press 1. Free, confidential, day and night.",
    text="838255",
    chat_url="https://www.veteranscrisisline.net/get-help-now/chat/",
)


def speaks_of_crisis(query: str) -> bool:
    """Whether a query sounds as if a life may be in danger, and not as if such work were looked for."""
    return _SIGNS.search(_OF_WORK.sub(" ", fold(query))) is not None


def crisis_line(*queries: str | None) -> CrisisRead | None:
    """The Veterans Crisis Line when a query, as typed or as corrected, speaks of suicide or crisis, else None."""
    return CRISIS_LINE if any(speaks_of_crisis(query) for query in queries if query) else None
