"""Why a Wan pipeline refuses: each message is a sentence for the person who asked."""


class WanError(ValueError):
    """A request, a folder or an adapter that cannot be used."""


class BackboneError(WanError):
    """A folder that is no whole Wan checkpoint, or a request that it cannot meet."""


class AdapterError(WanError):
    """An adapter that is broken, missing or belongs to another backbone."""


class PromptError(WanError):
    """A prompt that the text encoder cannot take."""
