"""A client made of Debian's python3-acme, the library under certbot: what scripts do with it.

acme_client.py OPERATION DIRECTORY FOLDER NAME...

It answers http-01 (or what the operation is about) by the challenge server in $CHALLENGE_SERVER, writes FOLDER/cert.pem and FOLDER/key.pem, and prints
what it saw, one word or URL a line. It fails with the problem document when it is refused.
"""

import datetime
import ipaddress
import json
import os
import sys
import urllib.request

import josepy
from acme import challenges, client, crypto_util, errors, messages
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
import OpenSSL


def tell(path, body):
    request = urllib.request.Request(os.environ["CHALLENGE_SERVER"] + "/" + path, data=json.dumps(body).encode())
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).read()


def new_client(directory_url, key):
    if isinstance(key, rsa.RSAPrivateKey):
        jwk, algorithm = josepy.JWKRSA(key=josepy.ComparableRSAKey(key)), josepy.RS256
    else:
        jwk, algorithm = josepy.JWKEC(key=josepy.ComparableECKey(key)), josepy.ES256
    network = client.ClientNetwork(jwk, alg=algorithm, user_agent="gatehouse-interop")
    directory = client.ClientV2.get_directory(directory_url, network)
    return client.ClientV2(directory, network)


def register(directory_url, key=None, **more):
    made = new_client(directory_url, key or ec.generate_private_key(ec.SECP256R1()))
    account = made.new_account(
        messages.NewRegistration.from_data(email="a@example.com", terms_of_service_agreed=True, **more)
    )
    return made, account


def order_for(made, folder, names):
    key = ec.generate_private_key(ec.SECP256R1())
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with open(os.path.join(folder, "key.pem"), "wb") as file:
        file.write(key_pem)
    addresses = [ipaddress.ip_address(name) for name in names if name[-1].isdigit()]
    domains = [name for name in names if not name[-1].isdigit()]
    return made.new_order(crypto_util.make_csr(key_pem, domains=domains, ipaddrs=addresses))


def publish(kind, name, challenge, key):
    if kind is challenges.HTTP01:
        tell("add-http01", {"token": challenge.encode("token"), "content": challenge.validation(key)})
    elif kind is challenges.DNS01:
        host = challenge.validation_domain_name(name) + "."
        tell("set-txt", {"host": host, "value": challenge.validation(key)})
    else:
        tell("add-tlsalpn01", {"host": name, "content": challenge.key_authorization(key)})


def answer(made, order, kind=challenges.HTTP01):
    for authorization in order.authorizations:
        for challenge in authorization.body.challenges:
            if isinstance(challenge.chall, kind):
                publish(kind, authorization.body.identifier.value, challenge.chall, made.net.key)
                made.answer_challenge(challenge, challenge.chall.response(made.net.key))


def issue(made, folder, names, kind=challenges.HTTP01):
    order = order_for(made, folder, names)
    answer(made, order, kind)
    order = made.poll_and_finalize(order)
    with open(os.path.join(folder, "cert.pem"), "w", encoding="ascii") as file:
        file.write(order.fullchain_pem)
    return order


def leaf(order):
    certificate = OpenSSL.crypto.load_certificate(OpenSSL.crypto.FILETYPE_PEM, order.fullchain_pem)
    return josepy.ComparableX509(certificate)


def problem_of(call):
    try:
        call()
    except messages.Error as error:
        return error.code
    raise SystemExit("it was not refused")


def issue_once(directory_url, folder, names):
    made, _ = register(directory_url)
    issue(made, folder, names)


def issue_with_rsa_account(directory_url, folder, names):
    made, _ = register(directory_url, rsa.generate_private_key(65537, 2048))
    issue(made, folder, names)


def issue_by_dns(directory_url, folder, names):
    made, _ = register(directory_url)
    issue(made, folder, names, challenges.DNS01)


def issue_by_tls(directory_url, folder, names):
    made, _ = register(directory_url)
    issue(made, folder, names, challenges.TLSALPN01)


def return_existing(directory_url, _folder, _names):
    key = ec.generate_private_key(ec.SECP256R1())
    _, account = register(directory_url, key)
    again = new_client(directory_url, key)
    found = again.new_account
    try:
        found(messages.NewRegistration(only_return_existing=True))
    except errors.ConflictError as error:
        print("same" if error.location == account.uri else "other")
    unknown = new_client(directory_url, ec.generate_private_key(ec.SECP256R1()))
    print(problem_of(lambda: unknown.new_account(messages.NewRegistration(only_return_existing=True))))


def revoke_twice(directory_url, folder, names):
    made, _ = register(directory_url)
    order = issue(made, folder, names)
    made.revoke(leaf(order), 4)
    print(problem_of(lambda: made.revoke(leaf(order), 4)))


def revoke_by_other(directory_url, folder, names):
    """RFC 8555 §7.6: an account that is authorized for all names may revoke."""
    made, _ = register(directory_url)
    order = issue(made, folder, names)
    stranger, _ = register(directory_url)
    print(problem_of(lambda: stranger.revoke(leaf(order), 0)))
    issue(stranger, os.path.join(folder, "other"), names)
    stranger.revoke(leaf(order), 5)


def bad_reason(directory_url, folder, names):
    made, _ = register(directory_url)
    order = issue(made, folder, names)
    for reason in (7, 11):
        print(problem_of(lambda wrong=reason: made.revoke(leaf(order), wrong)))


def deactivate(directory_url, folder, names):
    made, account = register(directory_url)
    made.deactivate_registration(account)
    print(problem_of(lambda: order_for(made, folder, names)))


def deactivate_authorization(directory_url, folder, names):
    made, _ = register(directory_url)
    order = order_for(made, folder, names)
    changed = made.deactivate_authorization(order.authorizations[0])
    print(changed.body.status.name)


def finalize_early(directory_url, folder, names):
    made, _ = register(directory_url)
    order = order_for(made, folder, names)
    print(problem_of(lambda: made.finalize_order(order, datetime.datetime.now() + datetime.timedelta(seconds=10))))


operations = {
    name.__name__.replace("_", "-"): name
    for name in (
        issue_once,
        issue_with_rsa_account,
        issue_by_dns,
        issue_by_tls,
        return_existing,
        revoke_twice,
        revoke_by_other,
        bad_reason,
        deactivate,
        deactivate_authorization,
        finalize_early,
    )
}

if __name__ == "__main__":
    operation, directory, folder, *wanted = sys.argv[1:]
    os.makedirs(os.path.join(folder, "other"), exist_ok=True)
    operations[operation](directory, folder, wanted)
