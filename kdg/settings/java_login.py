"""Owns what Java's keystores, truststores, and logins become for librdkafka. Pure. Messages contain no secret."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kdg.errors import UsageError
from kdg.settings.keyvalue import PropertyFile
from kdg.settings.token_command import MECHANISM, MSK_IAM, msk_iam

_HANDLER, _JAAS = "sasl.login.callback.handler.class", "sasl.jaas.config"


def store(given: PropertyFile, which: str) -> dict[str, str]:
    """The settings of librdkafka for a keystore or a truststore. which: `keystore` or `truststore`.

    OpenSSL reads PEM files, and PKCS#12 files with keys. Raises UsageError for others, and says how to convert them.
    """
    location = given.values.get(f"ssl.{which}.location")
    if location is None:
        return {}
    kind = given.values.get(f"ssl.{which}.type", _type_of(location)).upper()
    if kind == "PEM":
        return dict.fromkeys(_PEM[which], location)
    if which == "keystore" and kind == "PKCS12":
        password = given.values.get("ssl.keystore.password")
        return {"ssl.keystore.location": location} | ({} if password is None else {"ssl.keystore.password": password})
    wanted = "ssl.ca.location" if which == "truststore" else "ssl.keystore.location (PKCS12)"
    raise UsageError(
        f"{given.where(f'ssl.{which}.location')}: ssl.{which}.location is a {kind} file, which only Java reads.",
        f"Convert it ({_CONVERT[which]}) and use {wanted}.",
    )


_PEM = {"truststore": ("ssl.ca.location",), "keystore": ("ssl.certificate.location", "ssl.key.location")}
_CONVERT = {
    "truststore": "keytool -exportcert -rfc -keystore STORE -alias CA > ca.pem",
    "keystore": "keytool -importkeystore -srckeystore STORE -destkeystore store.p12 -deststoretype PKCS12",
}


def _type_of(location: str) -> str:
    """The type of a store by the ending of its name. Java's default is JKS."""
    suffix = location.rpartition(".")[2].lower()
    return {"pem": "PEM", "crt": "PEM", "p12": "PKCS12", "pfx": "PKCS12"}.get(suffix, "JKS")


_MODULE = re.compile(r"\s*([\w.$]+)\s+(?:required|requisite|sufficient|optional)\b")
_OPTION = re.compile(r"""([\w.]+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|([^\s;]+))""", re.DOTALL)


def refuse_msk_iam(given: PropertyFile) -> None:
    """Raises UsageError for the login of Amazon MSK with IAM, which only classes of Java know; says what to write."""
    if given.values.get(MECHANISM) == MSK_IAM:
        raise msk_iam(given.where(MECHANISM))


def login(given: PropertyFile) -> dict[str, str]:
    """The settings of librdkafka for `sasl.jaas.config` and for the class that fetches tokens. Raises UsageError."""
    handler = given.values.get(_HANDLER, "")
    if handler and not handler.endswith(".OAuthBearerLoginCallbackHandler"):
        raise UsageError(
            f"{given.where(_HANDLER)}: {_HANDLER} {handler} has no equal outside Java.",
            "Use sasl.oauthbearer.method=oidc, or sasl.username and sasl.password.",
        )
    oidc = {"sasl.oauthbearer.method": "oidc"} if handler else {}
    jaas = given.values.get(_JAAS)
    if jaas is None:
        return oidc
    module = _MODULE.match(jaas)
    kind = module[1].rpartition(".")[2] if module is not None else ""
    if module is None or kind not in _MODULES:
        found = f" ({kind})" if kind else ""
        raise UsageError(
            f"{given.where(_JAAS)}: {_JAAS} names no login module that has an equal outside Java{found}.",
            f"Use {', '.join(_MODULES)}; or sasl.username and sasl.password.",
        )
    options = {o[1]: _unquoted(o[2] or o[3] or o[4] or "") for o in _OPTION.finditer(jaas, module.end())}
    names = _MODULES[kind]
    return oidc | {names[name]: value for name, value in options.items() if name in names} | _unsecured(options)


_QUOTED = re.compile(r"\\([0-3]?[0-7]{1,2}|.)", re.DOTALL)
_CONTROL = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def _unquoted(text: str) -> str:
    """The text with its escapes read, as java.io.StreamTokenizer reads them."""
    return _QUOTED.sub(
        lambda o: chr(int(o[1], 8)) if o[1].isdecimal() and o[1] < "8" else _CONTROL.get(o[1], o[1]), text
    )


_USER = {"username": "sasl.username", "password": "sasl.password"}
_MODULES: Mapping[str, Mapping[str, str]] = {
    "PlainLoginModule": _USER,
    "ScramLoginModule": _USER,
    "OAuthBearerLoginModule": {
        "clientId": "sasl.oauthbearer.client.id",
        "clientSecret": "sasl.oauthbearer.client.secret",
        "scope": "sasl.oauthbearer.scope",
    },
    "Krb5LoginModule": {"keyTab": "sasl.kerberos.keytab", "principal": "sasl.kerberos.principal"},
}


def _unsecured(options: Mapping[str, str]) -> dict[str, str]:
    """Kafka's unsigned tokens, which are for tests."""
    principal = options.get("unsecuredLoginStringClaim_sub")
    if principal is None:
        return {}
    return {"enable.sasl.oauthbearer.unsecure.jwt": "true", "sasl.oauthbearer.config": f"principal={principal}"}
