"""/v1/models: list, retrieve, delete."""

from functools import lru_cache

from flask import Blueprint, g, jsonify

from .chat_format import ChatFormat
from .errors import ApiError
from .model import load_model
from .parameters import PAGE_LIMIT, listing
from .simulate import still_loads

routes = Blueprint("models", __name__, url_prefix="/models")


@routes.get("")
def list_models():
    """The base models and everything that was tuned here."""
    return listing(g.store, "model", PAGE_LIMIT)


@routes.get("/<path:name>")
def retrieve(name):
    """One model object."""
    return jsonify(find(name))


@routes.delete("/<path:name>")
def delete(name):
    """Forget a tuned model and free its weights; a base model stays."""
    if find(name)["owned_by"] == "system":
        message = f"The model '{name}' is a base model. Only models that you tuned can be deleted."
        raise ApiError(message, status=403, param="model")
    g.store.delete("model", name)
    return {"id": name, "object": "model", "deleted": True}


def find(name):
    """The model object, or a 404."""
    model = g.store.get("model", name)
    if model is None:
        raise not_found(name)
    return model


def load(name):
    """(model, chat format) of a model that can be used, or a 404."""
    if still_loads(find(name), g.simulate):
        raise not_found(name)
    return in_memory(g.store.path("model", name))


@lru_cache(maxsize=4)
def in_memory(folder):
    """The model in a folder and its chat format; the last few stay in memory."""
    return load_model(folder), ChatFormat(folder)


def not_found(name):
    """The ApiError for a model that is not there, or not yet."""
    message = f"The model `{name}` does not exist or you do not have access to it."
    return ApiError(message, status=404, code="model_not_found", param="model")
