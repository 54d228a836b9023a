"""Answer sheets for the quiz, made from the questions that the service itself gives."""

import random

SENTENCES = [
    "I like to find out why machines fail and to repair them with my own hands.",
    "People come to me when they are ill or sad, and I would like to care for them.",
    "I draw, write stories and build small games in my free time.",
    "Numbers, tables and statistics are fun; I follow the economy every day.",
    "I want to be outdoors with plants and animals, and protect nature.",
    "I enjoy leading a team, planning projects and selling ideas.",
]


def answer(question, generator):
    """A valid answer to one question."""
    kind = question["type"]
    if kind == "choice":
        return generator.choice(question["choices"])["id"]
    if kind == "scale":
        return generator.randint(question["scale"]["min"], question["scale"]["max"])
    assert kind == "text", question
    return generator.choice(SENTENCES)


def sheet(questions, seed, count=None):
    """Answers by question id; `count` picks that many questions at random, all of them where left out."""
    generator = random.Random(seed)
    chosen = questions if count is None else generator.sample(questions, count)
    return {str(question["id"]): answer(question, generator) for question in chosen}


def first_of(questions, kind):
    return next(question for question in questions if question["type"] == kind)
