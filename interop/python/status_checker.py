"""The status of a certificate as a program in Python learns it, with nothing but the standard library and cryptography:
where to ask stands in the certificate, and what comes back is read and verified by this library alone.

    status_checker.py ocsp CERTIFICATE ISSUER (get|post) (sha1|sha256)
    status_checker.py crl CERTIFICATE ISSUER
    status_checker.py delta CERTIFICATE ISSUER

Files are PEM. It prints one object of JSON, and fails when anything is not in order.
"""

import base64
import json
import sys
import urllib.parse
import urllib.request

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

HASHES = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256()}


def read_certificate(file):
    with open(file, "rb") as opened:
        return x509.load_pem_x509_certificate(opened.read())


def fetch(url, body=None):
    headers = {} if body is None else {"Content-Type": "application/ocsp-request"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
        return answer.read()


def verify(key, signature, signed, algorithm):
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, signed, padding.PKCS1v15(), algorithm)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, signed, ec.ECDSA(algorithm))
    else:
        key.verify(signature, signed)


def verify_certificate(certificate, issuer):
    assert certificate.issuer == issuer.subject
    signed = certificate.tbs_certificate_bytes
    verify(issuer.public_key(), certificate.signature, signed, certificate.signature_hash_algorithm)


def ask_responder(certificate, issuer, method, name):
    """RFC 6960."""
    access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    [url] = [
        description.access_location.value
        for description in access
        if description.access_method == AuthorityInformationAccessOID.OCSP
    ]
    request = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, HASHES[name]).build()
    der = request.public_bytes(serialization.Encoding.DER)
    if method == "get":
        answer = fetch(url + "/" + urllib.parse.quote(base64.b64encode(der), safe=""))
    else:
        answer = fetch(url, der)
    response = ocsp.load_der_ocsp_response(answer)
    assert response.response_status == ocsp.OCSPResponseStatus.SUCCESSFUL, response.response_status
    assert response.serial_number == certificate.serial_number
    assert response.hash_algorithm.name == name
    [responder] = response.certificates
    verify_certificate(responder, issuer)
    purposes = responder.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert ExtendedKeyUsageOID.OCSP_SIGNING in purposes
    responder.extensions.get_extension_for_class(x509.OCSPNoCheck)
    verify(responder.public_key(), response.signature, response.tbs_response_bytes, response.signature_hash_algorithm)
    return {
        "status": response.certificate_status.name.lower(),
        "reason": None if response.revocation_reason is None else response.revocation_reason.value,
        "revokedAt": utc(response.revocation_time),
        "thisUpdate": utc(response.this_update),
        "nextUpdate": utc(response.next_update),
    }


def distribution_point(certificate):
    [point] = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    [name] = point.full_name
    return name.value


def fetch_list(url, issuer):
    crl = x509.load_der_x509_crl(fetch(url))
    assert crl.issuer == issuer.subject
    assert crl.is_signature_valid(issuer.public_key())
    return crl


def search_list(certificate, issuer):
    """RFC 5280 §6.3."""
    url = distribution_point(certificate)
    crl = fetch_list(url, issuer)
    point = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint)
    assert point.critical and point.value.only_contains_user_certs and not point.value.indirect_crl
    assert [name.value for name in point.value.full_name] == [url]
    return describe(crl, certificate)


def search_delta(certificate, issuer):
    """RFC 5280 §5.2.4 and §5.2.6."""
    crl = fetch_list(distribution_point(certificate), issuer)
    [point] = crl.extensions.get_extension_for_class(x509.FreshestCRL).value
    [name] = point.full_name
    delta = fetch_list(name.value, issuer)
    base = delta.extensions.get_extension_for_class(x509.DeltaCRLIndicator)
    assert base.critical and base.value.crl_number <= number(crl)
    scopes = [one.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value for one in (crl, delta)]
    assert scopes[0] == scopes[1]
    return describe(delta, certificate)


def number(crl):
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def describe(crl, certificate):
    entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
    reason = None
    if entry is not None and len(entry.extensions) > 0:
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
    return {
        "status": "good" if entry is None else "revoked",
        "reason": reason,
        "revokedAt": None if entry is None else utc(entry.revocation_date),
        "thisUpdate": utc(crl.last_update),
        "nextUpdate": utc(crl.next_update),
    }


def utc(time):
    """Its times are in UTC and do not say so."""
    return None if time is None else time.isoformat() + "Z"


def run(task, certificate, issuer, *how):
    tasks = {"ocsp": ask_responder, "crl": search_list, "delta": search_delta}
    return tasks[task](read_certificate(certificate), read_certificate(issuer), *how)


if __name__ == "__main__":
    print(json.dumps(run(*sys.argv[1:])))
