"""Ranking support tickets: texts and tags in by name, a priority and a department out by name.

The tickets are generated: the department follows from words of the title, the priority from words of the body and from
the tags. Shows dict inputs and outputs, an embedding that title and body share, and data that match by name in any
order.

    KERAS_BACKEND=tensorflow python examples/ticket_ranking.py
"""

from __future__ import annotations

import numpy as np

import keras_fn
from keras_fn import layers

DEPARTMENTS = ("billing", "network", "hardware")
TOPICS = (
    "invoice refund payment charge receipt".split(),
    "router wifi latency outage packet".split(),
    "screen keyboard battery fan printer".split(),
)
CALM = "please thanks question whenever curious".split()
URGENT = "urgent broken immediately down losing".split()
FILLER = "the my our with and about is was again today".split()
TAGS = ("vip", "repeat", "newsletter", "trial")
VOCABULARY = ["", *(w for topic in TOPICS for w in topic), *CALM, *URGENT, *FILLER]  # 0 stands for no word
NUMBER = {word: i for i, word in enumerate(VOCABULARY)}


def make_tickets(count: int, seed: int) -> tuple[list[str], list[str], np.ndarray, np.ndarray, np.ndarray]:
    """Titles, bodies, tags `(count, 4)`, priorities `(count, 1)` from 0 to 1, and departments `(count,)`."""
    rng = np.random.default_rng(seed)
    department = rng.integers(0, len(DEPARTMENTS), count)
    tags = (rng.random((count, len(TAGS))) < 0.3).astype("float32")
    urgency = rng.integers(0, 4, count)
    titles, bodies = [], []
    for d, u in zip(department, urgency, strict=True):
        titles.append(" ".join([*rng.choice(FILLER, rng.integers(1, 3)), *rng.choice(TOPICS[d], rng.integers(1, 3))]))
        mood = [*rng.choice(URGENT, u, replace=False), *rng.choice(CALM, 3 - u, replace=False)]
        bodies.append(" ".join(rng.permutation([*mood, *rng.choice(FILLER, rng.integers(2, 8))])))
    priority = np.clip(urgency / 3 * 0.7 + tags[:, 0] * 0.2 + tags[:, 1] * 0.1, 0, 1)
    return titles, bodies, tags, priority[:, None].astype("float32"), department.astype("int32")


def numbers(texts: list[str], length: int) -> np.ndarray:
    """Texts as word numbers `(count, length)`, with zeros at the end."""
    rows = [[NUMBER[w] for w in text.split()] for text in texts]
    return keras_fn.utils.pad_sequences(rows, maxlen=length, padding="post", truncating="post")


def make_model() -> keras_fn.Model:
    """`{"title", "body", "tags"}` to `{"priority", "department"}`."""
    title = keras_fn.Input((None,), dtype="int32", name="title")
    body = keras_fn.Input((None,), dtype="int32", name="body")
    tags = keras_fn.Input((len(TAGS),), name="tags")

    words = layers.Embedding(len(VOCABULARY), 16, mask_zero=True, name="words")
    title_seen = layers.GlobalAveragePooling1D(name="title_seen")(words(title))
    body_seen = layers.LSTM(24, name="body_seen")(words(body))
    x = layers.Concatenate(name="ticket")([title_seen, body_seen, tags])

    outputs = {
        "priority": layers.Dense(1, activation="sigmoid", name="priority")(x),
        "department": layers.Dense(len(DEPARTMENTS), activation="softmax", name="department")(x),
    }
    return keras_fn.Model({"title": title, "body": body, "tags": tags}, outputs)


def main(epochs: int = 8, samples: int = 1500, verbose: int = 1) -> dict:
    """Trains, tests, and ranks a few new tickets."""
    keras_fn.utils.set_random_seed(1)

    def data(count: int, seed: int) -> tuple[dict, dict]:
        titles, bodies, tags, priority, department = make_tickets(count, seed)
        # the order of the keys is not that of the model: names count
        inputs = {"tags": tags, "body": numbers(bodies, 14), "title": numbers(titles, 5)}
        return inputs, {"department": department, "priority": priority}

    model = make_model()
    model.compile(
        keras_fn.optimizers.Adam(0.01),
        loss={"priority": "mse", "department": "sparse_categorical_crossentropy"},
        loss_weights={"priority": 5.0, "department": 1.0},
        metrics={"priority": ["mae"], "department": ["accuracy"]},
    )
    history = model.fit(*data(samples, 0), epochs=epochs, verbose=verbose).history
    scores = model.evaluate(*data(300, 1), verbose=0, return_dict=True)

    titles, bodies, *_ = make_tickets(5, 2)
    predicted = model.predict(data(5, 2)[0], verbose=0)
    ranked = sorted(zip(predicted["priority"][:, 0], predicted["department"].argmax(-1), titles, bodies, strict=True))
    for priority, department, title, body in reversed(ranked):
        print(f"{priority:.2f}  {DEPARTMENTS[department]:9} {title} | {body}")
    return {"history": history, "scores": scores}


if __name__ == "__main__":
    main()
