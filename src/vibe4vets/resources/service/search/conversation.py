"""Words of conversation: understood as English or Spanish, never respelt, and next to no evidence of a need."""

from typing import Final

# They join other words and are no part of a phrase: "ride to my appointment" is "ride appointment".
JOINING: Final = frozenset(
    "for near me my i a an the to of in on at by with from and or is are am be was were been do does did can could"
    " would should how what where who when why which please you your we our he she his her him they their have has had"
    " having im ive as about if so around nearby closest"
    " de del la el los las un una unos unas para por con en mi mis tu su sus que es y o a al se lo le me nos como donde"
    " cual quien cuando porque si".split()
)

# Who writes one of these writes Spanish; "el" and "los" also stand in names of places.
SPANISH: Final = frozenset(
    "una unos unas para por con mi mis que es donde cual quien cuando porque necesito busco quiero puedo"
    " tengo ayuda hay esta soy estoy".split()
)

# One form of the lexicon's phrases for them all.
VETERAN: Final = frozenset(["vet", "vets", "veteran", "veterans", "veterano", "veteranos"])

# What nearly every query or record of a directory for Veterans has.
COMMON: Final = (JOINING | VETERAN) | frozenset(
    "military help helping helps need needs needed want wants wanted get gets getting got"
    " find finding look looking now today some any someone somebody something anyone us she them it its this that there"
    " here going go no not dont cant best good local area close free copy new give gives offer offers offering"
    " available provide provides assistance program programs service services u s visit talk thinking think make apply"
    " info application open pay paying"
    " ayuda ayudar ayudame necesito busco buscar quiero puedo tengo tener hay gratis servicio"
    " servicios programa programas cerca aqui hoy favor obtener conseguir solicitar militar".split()
)

# Words of everyday life that tell little about the kind of help; a stored name may hold them all the same.
EVERYDAY: Final = frozenset(
    "talk told tell think thinking thought know knew afford cheap cost costs paid buy sell sold lose lost losing broken"
    " fix fixed move moving moved live living lived stay staying stayed sleep sleeping tonight tomorrow week weekend"
    " month year old young son daughter mother father mom dad brother sister parent parents friend kid baby man men"
    " people person quick fast soon late early morning evening night number address hours call called calling phone"
    " email online website apply applying applied sign join start starting stop quit keep take taking give use using"
    " used after before during without because also only still already again ever never always more most much many few"
    " less than then really very bad worse hard easy big small high low long short first last next every each both"
    " other another same different right wrong way thing things place places everybody anybody everything nothing home"
    " car truck bus train walk drive money buck dollars visits meet meeting club clubs group groups class classes"
    " lesson course dies died whats hows wheres turned changed paperwork somewhere anywhere somehow maybe okay thanks"
    " hello hey will shall might must may been being able into onto over under between through until while since upon"
    " persona personas casa dinero hijo hija esposo esposa dia noche semana mes ano mucho poco bueno malo nuevo"
    " grande lugar sitio numero telefono direccion hora horas llamar hablar vivir vivo comer dormir pagar perder"
    " necesita necesitan buscando soy estoy somos estan esta este eso esa muy mas pero sin sobre hasta desde entre"
    " todo todos toda todas alguien algo nada nadie".split()
)
# What is called by a number: without such a word a number is an age, a year, or part of a telephone number.
NUMBERED: Final = frozenset(
    "post posts chapter camp detachment unit lodge district squadron number no ward school building suite route highway"
    " hwy section group troop aerie council barracks conference".split()
)
# What makes a weekday one of opening hours, and what makes it the day when something is due.
OPENING: Final = frozenset(
    "open opens opened opening hours close closes closed closing every each weekly abierto abierta abiertos abierta"
    " abren abre horario horas cada".split()
)
DEADLINE: Final = frozenset("by until till due this next before last since come coming evicted eviction court".split())
DAYS: Final = {
    name: code
    for code, names in {
        "mon": "monday mondays mon lunes",
        "tue": "tuesday tuesdays tue tues martes",
        "wed": "wednesday wednesdays wed miercoles",
        "thu": "thursday thursdays thu thurs jueves",
        "fri": "friday fridays fri viernes",
        "sat": "saturday saturdays sat sabado sabados",
        "sun": "sunday sundays sun domingo domingos",
    }.items()
    for name in names.split()
}
KNOWN: Final = COMMON | EVERYDAY | DAYS.keys()
