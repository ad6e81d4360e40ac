"""Answers what PyPI's gbstats computes: reads a JSON list of questions from a file, prints the list of answers.

A question names two arms and the settings of the tests; a question with `users` is one about the split.
"""

import json
import math
import sys
import warnings

from gbstats.bayesian.tests import EffectBayesianABTest, EffectBayesianConfig, GaussianPrior
from gbstats.frequentist.tests import (
    FrequentistConfig,
    OneSidedTreatmentGreaterTTest,
    OneSidedTreatmentLesserTTest,
    SequentialConfig,
    SequentialTwoSidedTTest,
    TwoSidedTTest,
)
from gbstats.models.statistics import (
    ProportionStatistic,
    QuantileClusteredStatistic,
    QuantileStatistic,
    RatioStatistic,
    RegressionAdjustedStatistic,
    SampleMeanStatistic,
)
from gbstats.utils import check_srm

KINDS = {
    "proportion": ProportionStatistic,
    "mean": SampleMeanStatistic,
    "ratio": RatioStatistic,
    "adjusted": RegressionAdjustedStatistic,
    "quantile": QuantileStatistic,
    "clustered_quantile": QuantileClusteredStatistic,
}


def statistic(arm):
    fields = {name: statistic(field) if isinstance(field, dict) else field for name, field in arm.items()}
    return KINDS[fields.pop("kind")](**fields)


def told(value):
    """JSON knows no infinity: what is no number goes as its name."""
    value = float(value)
    return value if math.isfinite(value) else str(value)


def answer(result):
    said = {
        "value": told(result.expected),
        "lower": told(result.ci[0]),
        "upper": told(result.ci[1]),
        "deviation": told(result.uplift.stddev),
        "error": result.error_message,
    }
    for name in ("p_value", "chance_to_win"):
        if hasattr(result, name):
            said[name] = told(getattr(result, name))
    if hasattr(result, "risk"):
        said["risk"] = [told(risk) for risk in result.risk]
    return said


def ask(question):
    if "users" in question:
        return told(check_srm(question["users"], question["weights"]))

    def run(test, config):
        # The tests write into what they are given, so each is given its own.
        try:
            return answer(test(statistic(question["a"]), statistic(question["b"]), config).compute_result())
        except ZeroDivisionError as error:
            return {"error": str(error)}

    common = {"difference_type": question["scale"], "alpha": question["alpha"]}
    common |= {"traffic_proportion_b": question["traffic"], "phase_length_days": question["days"]}
    frequentist = FrequentistConfig(test_value=question["test_value"], **common)
    sequential = SequentialConfig(
        test_value=question["test_value"], sequential_tuning_parameter=question["planned_units"], **common
    )
    prior = question["prior"]
    bayesian = EffectBayesianConfig(
        inverse=question["lower_is_better"],
        prior_type=prior["scale"],
        prior_effect=GaussianPrior(prior["mean"], prior["deviation"] ** 2, prior["proper"]),
        **common,
    )
    return {
        "two_sided": run(TwoSidedTTest, frequentist),
        "greater": run(OneSidedTreatmentGreaterTTest, frequentist),
        "less": run(OneSidedTreatmentLesserTTest, frequentist),
        "sequential": run(SequentialTwoSidedTTest, sequential),
        "bayesian": run(EffectBayesianABTest, bayesian),
    }


warnings.simplefilter("ignore")
with open(sys.argv[1], encoding="utf-8") as questions:
    print(json.dumps([ask(question) for question in json.load(questions)]))
