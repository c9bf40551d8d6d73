"""ArviZ export: a fit as InferenceData. ArviZ is an extra."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ModelError
from ...show import progress
from .loo import must_be_independent
from .on_grid import own_grid
from .parameters import parameters, spaced
from .person_likelihood import log_likelihoods

if TYPE_CHECKING:
    from ...panel import Panel
    from .fit import DSEMFit


def to_arviz(fit: DSEMFit, panel: Panel | None, draws: int) -> Any:
    """See `DSEMFit.to_arviz`."""
    try:
        import arviz
    except ImportError:
        raise ModelError(
            "Exporting a fit needs the package arviz, which is not installed.",
            where=fit.title,
            remedy='Install it: pip install "sessionwise[arviz]" (or pip install "arviz<1").',
        ) from None
    chains, kept, _ = fit.reported.draws.shape
    if panel is None:
        return arviz.from_dict(posterior=_posterior(fit, np.arange(kept)), attrs=_attributes(fit))
    must_be_independent(fit)
    grid = own_grid(fit, panel)
    at = spaced(-(-draws // chains), kept)
    which = (np.arange(chains)[:, None] * kept + at).ravel()
    with progress("likelihood of persons") as told:
        found = log_likelihoods(fit, grid, parameters(fit, which), told)
    return arviz.from_dict(
        posterior=_posterior(fit, at),
        log_likelihood={"scores": found.reshape(chains, len(at), -1)},
        coords={fit.person: grid.persons.tolist()},
        dims={"scores": [fit.person]},
        attrs=_attributes(fit),
    )


def _posterior(fit: DSEMFit, at: np.ndarray) -> dict[str, np.ndarray]:
    """Each parameter (chains, draws)."""
    return {name: fit.reported.draws[:, at, j] for j, name in enumerate(fit.reported.names)}


def _attributes(fit: DSEMFit) -> dict[str, Any]:
    return {"model": fit.title, "seed": fit.seed, "inference_library": "sessionwise"}
