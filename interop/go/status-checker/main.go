// The status of a certificate as a program in Go learns it, with nothing but the standard library and golang.org/x/crypto:
// where to ask stands in the certificate, and what comes back is read and verified by these libraries alone.
//
//	status-checker ocsp CERTIFICATE ISSUER (get|post) (sha1|sha256)
//	status-checker crl CERTIFICATE ISSUER
//
// Files are PEM. It prints one object of JSON, and fails when anything is not in order.
package main

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"golang.org/x/crypto/ocsp"
)

type answer struct {
	Status     string     `json:"status"`
	Reason     string     `json:"reason,omitempty"`
	RevokedAt  *time.Time `json:"revokedAt,omitempty"`
	ThisUpdate time.Time  `json:"thisUpdate"`
	NextUpdate time.Time  `json:"nextUpdate"`
}

// RFC 5280 §5.3.1; 7 is not used.
var reasons = []string{
	"unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded", "cessationOfOperation",
	"certificateHold", "", "removeFromCRL", "privilegeWithdrawn", "aACompromise",
}

// id-ce-cRLReasons.
var reasonCode = asn1.ObjectIdentifier{2, 5, 29, 21}

var statuses = map[int]string{ocsp.Good: "good", ocsp.Revoked: "revoked", ocsp.Unknown: "unknown"}

func main() {
	answer, err := run(os.Args[1:])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(answer)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "status-checker:", err)
		os.Exit(1)
	}
}

func run(parameters []string) (*answer, error) {
	if len(parameters) < 3 {
		return nil, errors.New("usage: status-checker (ocsp|crl) CERTIFICATE ISSUER [get|post sha1|sha256]")
	}
	certificate, err := readCertificate(parameters[1])
	if err != nil {
		return nil, err
	}
	issuer, err := readCertificate(parameters[2])
	if err != nil {
		return nil, err
	}
	switch {
	case parameters[0] == "ocsp" && len(parameters) == 5:
		return askResponder(certificate, issuer, parameters[3], parameters[4])
	case parameters[0] == "crl" && len(parameters) == 3:
		return searchRevocationList(certificate, issuer)
	}
	return nil, fmt.Errorf("%q cannot be done", parameters)
}

func askResponder(certificate, issuer *x509.Certificate, method, hash string) (*answer, error) {
	if len(certificate.OCSPServer) != 1 {
		return nil, fmt.Errorf("the certificate names %d responders", len(certificate.OCSPServer))
	}
	options := &ocsp.RequestOptions{Hash: crypto.SHA1}
	if hash == "sha256" {
		options.Hash = crypto.SHA256
	}
	request, err := ocsp.CreateRequest(certificate, issuer, options)
	if err != nil {
		return nil, err
	}
	var got *http.Response
	if method == "get" {
		got, err = http.Get(certificate.OCSPServer[0] + "/" + url.PathEscape(base64.StdEncoding.EncodeToString(request)))
	} else {
		got, err = http.Post(certificate.OCSPServer[0], "application/ocsp-request", bytes.NewReader(request))
	}
	body, err := readBody(got, err)
	if err != nil {
		return nil, err
	}
	response, err := ocsp.ParseResponseForCert(body, certificate, issuer)
	if err != nil {
		return nil, err
	}
	if response.Certificate == nil {
		return nil, errors.New("the responder does not show its certificate")
	}
	found := &answer{
		Status: statuses[response.Status], ThisUpdate: response.ThisUpdate, NextUpdate: response.NextUpdate,
	}
	if response.Status == ocsp.Revoked {
		found.Reason, found.RevokedAt = reasons[response.RevocationReason], &response.RevokedAt
	}
	return found, nil
}

func searchRevocationList(certificate, issuer *x509.Certificate) (*answer, error) {
	if len(certificate.CRLDistributionPoints) != 1 {
		return nil, fmt.Errorf("the certificate names %d CRLs", len(certificate.CRLDistributionPoints))
	}
	got, err := http.Get(certificate.CRLDistributionPoints[0])
	body, err := readBody(got, err)
	if err != nil {
		return nil, err
	}
	list, err := x509.ParseRevocationList(body)
	if err != nil {
		return nil, err
	}
	if err := list.CheckSignatureFrom(issuer); err != nil {
		return nil, err
	}
	found := &answer{Status: "good", ThisUpdate: list.ThisUpdate, NextUpdate: list.NextUpdate}
	for _, entry := range list.RevokedCertificates {
		if entry.SerialNumber.Cmp(certificate.SerialNumber) != 0 {
			continue
		}
		at := entry.RevocationTime
		found.Status, found.RevokedAt = "revoked", &at
		for _, extension := range entry.Extensions {
			if !extension.Id.Equal(reasonCode) {
				continue
			}
			var reason asn1.Enumerated
			if _, err := asn1.Unmarshal(extension.Value, &reason); err != nil {
				return nil, err
			}
			found.Reason = reasons[reason]
		}
	}
	return found, nil
}

func readBody(got *http.Response, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer got.Body.Close()
	if got.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", got.Request.URL, got.Status)
	}
	return io.ReadAll(got.Body)
}

func readCertificate(file string) (*x509.Certificate, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s holds no PEM", file)
	}
	return x509.ParseCertificate(block.Bytes)
}
