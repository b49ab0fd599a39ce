"""Gender and number of the words in sample_data/phrases.tsv, as far as rules of Spanish grammar give their forms."""


def table(text):
    """Two words by two."""
    return dict(entry.split() for entry in text.split(", "))


MASCULINE = table(
    "bank banco, bird pájaro, birthday cumpleaños, boat barco, book libro, brother hermano, bus autobús, car coche, "
    "cat gato, coffee café, colour color, dog perro, father padre, hat sombrero, horse caballo, hospital hospital, "
    "market mercado, museum museo, park parque, passport pasaporte, rabbit conejo, sea mar, shoe zapato, son hijo, "
    "tea té, ticket billete, train tren, umbrella paraguas, year año"
)
FEMININE = table(
    "apple manzana, beach playa, bed cama, bicycle bicicleta, chair silla, church iglesia, cup taza, daughter hija, "
    "door puerta, house casa, key llave, kitchen cocina, library biblioteca, milk leche, mother madre, music música, "
    "pet mascota, school escuela, shirt camisa, shop tienda, sister hermana, soup sopa, station estación, "
    "suitcase maleta, table mesa, water agua, window ventana"
)
"""Nouns, and what each of them always is in Spanish."""

QUALITIES = table(
    "big grande, black negro, blue azul, cheap barato, clean limpio, dirty sucio, expensive caro, green verde, "
    "grey gris, new nuevo, older mayor, red rojo, sad triste, small pequeño, tired cansado, white blanco, "
    "yellow amarillo, younger menor, old viejo, closed cerrado"
)
OTHER_MASCULINE = (
    "amor azúcar baño bebé día dios domingo euro hombre jardín luis lunes maestro miércoles momento mes "
    "minuto niño nombre número oído pan pelo pie queso sábado tejado tiempo trabajo tronco vaso viaje viernes él"
)
OTHER_FEMININE = (
    "abuela ana ayuda cabeza calle carta cigüeña cuenta culpa derecha dirección ella espalda izquierda luna luz mañana "
    "mujer navidad nieve noche palabra pared práctica sal sorpresa suerte tarde verdad"
)
OTHER_QUALITIES = (
    "abierto bonito bueno caliente ciego cocinero contento enfermero enfermo favorito feliz frío lleno mejor mucho mío "
    "médico perdido primero profesor raro segundo vegetariano"
)
INVARIABLE = {"cumpleaños", "lunes", "miércoles", "paraguas", "viernes"}
UNSTRESSED = str.maketrans("áéíóú", "aeiou")  # another syllable makes the accent needless: jardín, jardines
ONE, MANY = {("m", 1), ("f", 1)}, {("m", 2), ("f", 2)}
DETERMINERS = {
    word: forms
    for forms, words in (
        ({("m", 1)}, "el al del un este ese nuestro"),
        ({("f", 1)}, "la una esta esa nuestra"),
        ({("m", 2)}, "los estos nuestros"),
        ({("f", 2)}, "las estas nuestras"),
        (ONE, "mi tu su"),
        (MANY, "mis tus sus dos tres cuatro diez veinte cuarenta cien"),
    )
    for word in words.split()
}
TO_BE = {"es": ONE, "está": ONE, "son": MANY, "están": MANY}
OTHER_VERBS = {
    word: forms
    for forms, words in (
        (ONE, "tiene quiere necesita ve vio va come bebe habla trabaja vive compró puede cuesta abre cierra"),
        (MANY, "tienen quieren necesitan ven vieron van comen beben hablan cuestan pueden viven compraron"),
    )
    for word in words.split()
}


def plural(word):
    """More than one of it."""
    if word in INVARIABLE:
        return word
    if word[-1] in "aeiouéá":
        return f"{word}s"
    if word.endswith("z"):
        return f"{word[:-1]}ces"
    return f"{word.translate(UNSTRESSED)}es" if word[-1] in "ns" else f"{word}es"


def quality(word, gender, number):
    """An adjective's form, for "m" or "f" and for 1 or 2, which means any number but one."""
    stem = word.removesuffix("o")
    if gender == "f":
        word = stem + "a" if stem != word else word + "a" * (word == "profesor")
    return plural(word) if number == 2 else word


def _nouns():
    """What each noun, of one and of more, can stand for."""
    found = {}
    masculine, feminine = [*MASCULINE.values(), *OTHER_MASCULINE.split()], [*FEMININE.values(), *OTHER_FEMININE.split()]
    for gender, words in (("m", masculine), ("f", feminine)):
        for word in words:
            found.setdefault(word, set()).add((gender, 1))
            found.setdefault(plural(word), set()).add((gender, 2))
    return found


def _adjectives():
    """What each form of an adjective can stand for."""
    found = {"buen": {("m", 1)}}
    for word in (*QUALITIES.values(), *OTHER_QUALITIES.split()):
        for gender, number in ONE | MANY:
            found.setdefault(quality(word, gender, number), set()).add((gender, number))
    return found


NOUNS, ADJECTIVES = _nouns(), _adjectives()
