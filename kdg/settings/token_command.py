"""Owns `sasl.oauthbearer.token.command`, a property of kdg's own: the command that prints a token. Pure.

How the command is run: kdg/kafka/token.py.
"""

from __future__ import annotations

from kdg.errors import UsageError

TOKEN_COMMAND = "sasl.oauthbearer.token.command"  # noqa: S105  # the name of a property
MECHANISM, MSK_IAM = "sasl.mechanism", "AWS_MSK_IAM"

_AMAZON = (
    'python3 -c "import json; from aws_msk_iam_sasl_signer import MSKAuthTokenProvider as P; '
    "t, ms = P.generate_auth_token('REGION'); print(json.dumps({'token': t, 'expires': ms / 1000}))\""
)


def msk_iam(where: str) -> UsageError:
    """The error for Amazon's own login. where: the place of the property, such as `client.properties line 3`."""
    return UsageError(
        f"{where}: {MECHANISM}={MSK_IAM} is a login that only Amazon's classes for Java have.",
        f"MSK takes OAUTHBEARER tokens too. In place of the lines of {MSK_IAM} (sasl.mechanism, sasl.jaas.config, "
        f"sasl.client.callback.handler.class) write security.protocol=SASL_SSL, {MECHANISM}=OAUTHBEARER, and "
        f"{TOKEN_COMMAND}={_AMAZON} (with your region, after pip install aws-msk-iam-sasl-signer-python).",
    )
