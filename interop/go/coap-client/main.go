// Command coap-client is nothing but plgd's go-coap over pion's DTLS: it opens one session with a certificate, sends the
// requests that it reads on standard input one after the other, and prints each answer as a line of JSON. Blocks, both
// ways, are go-coap's own affair.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"time"

	piondtls "github.com/pion/dtls/v3"
	dtlsnet "github.com/pion/dtls/v3/pkg/net"
	"github.com/plgd-dev/go-coap/v3/dtls"
	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/message/pool"
	"github.com/plgd-dev/go-coap/v3/net/blockwise"
	"github.com/plgd-dev/go-coap/v3/options"
	"github.com/plgd-dev/go-coap/v3/udp/client"
)

// request is what one line of standard input says.
type request struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	// Query has one Uri-Query each.
	Query            []string `json:"query"`
	ContentFormat    *uint32  `json:"contentFormat"`
	Accept           *uint32  `json:"accept"`
	Payload          []byte   `json:"payload"`
	IsNonConfirmable bool     `json:"isNonConfirmable"`
}

// answer is what is printed for it.
type answer struct {
	Code          string  `json:"code"`
	ContentFormat *uint32 `json:"contentFormat,omitempty"`
	MaxAge        *uint32 `json:"maxAge,omitempty"`
	Payload       []byte  `json:"payload"`
}

var methods = map[string]codes.Code{"get": codes.GET, "post": codes.POST, "put": codes.PUT, "delete": codes.DELETE}

var blockSizes = map[int]blockwise.SZX{
	16: blockwise.SZX16, 32: blockwise.SZX32, 64: blockwise.SZX64, 128: blockwise.SZX128,
	256: blockwise.SZX256, 512: blockwise.SZX512, 1024: blockwise.SZX1024,
}

var suites = map[string]piondtls.CipherSuiteID{
	"CCM8":   piondtls.TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8,
	"CCM":    piondtls.TLS_ECDHE_ECDSA_WITH_AES_128_CCM,
	"GCM":    piondtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	"GCM256": piondtls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	target := flag.String("connect", "", "host:port")
	certificate := flag.String("cert", "", "PEM file of the client's certificate; without it none is shown")
	key := flag.String("key", "", "PEM file of its key")
	anchors := flag.String("ca", "", "PEM file of the trust anchors")
	suite := flag.String("suite", "CCM8", "cipher suite: CCM8, CCM, GCM, GCM256")
	block := flag.Int("block", 1024, "size of blocks")
	patience := flag.Duration("timeout", 90*time.Second, "for all of it")
	flag.Parse()

	ctx, cancel := context.WithTimeout(context.Background(), *patience)
	defer cancel()
	configuration, err := configure(*certificate, *key, *anchors, *suite)
	if err != nil {
		return err
	}
	size, known := blockSizes[*block]
	if !known {
		return fmt.Errorf("there are no blocks of %d octets", *block)
	}
	connection, err := shakeHands(ctx, *target, configuration)
	if err != nil {
		return fmt.Errorf("no session: %w", err)
	}
	session := dtls.Client(connection,
		options.WithContext(ctx),
		options.WithBlockwise(true, size, *patience),
		options.WithTransmission(1, 2*time.Second, 4),
		options.WithCloseSocket(),
		// It goes on waiting for the answer to a message that it no longer sends.
		options.WithErrors(func(problem error) {
			if errors.Is(problem, context.DeadlineExceeded) {
				cancel()
			}
		}),
	)
	defer session.Close()

	reader := json.NewDecoder(os.Stdin)
	writer := json.NewEncoder(os.Stdout)
	for reader.More() {
		var wanted request
		if err := reader.Decode(&wanted); err != nil {
			return fmt.Errorf("no request: %w", err)
		}
		given, err := ask(ctx, session, wanted)
		if err != nil {
			return fmt.Errorf("no answer: %w", err)
		}
		if err := writer.Encode(given); err != nil {
			return err
		}
	}
	return nil
}

// shakeHands is done before there is any message, so that it is known what failed.
func shakeHands(ctx context.Context, target string, configuration *piondtls.Config) (*piondtls.Conn, error) {
	socket, err := net.Dial("udp", target)
	if err != nil {
		return nil, err
	}
	connection, err := piondtls.Client(dtlsnet.PacketConnFromConn(socket), socket.RemoteAddr(), configuration)
	if err != nil {
		return nil, err
	}
	return connection, connection.HandshakeContext(ctx)
}

func configure(certificate, key, anchors, suite string) (*piondtls.Config, error) {
	roots := x509.NewCertPool()
	pem, err := os.ReadFile(anchors)
	if err != nil {
		return nil, err
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("no certificate in %s", anchors)
	}
	id, known := suites[suite]
	if !known {
		return nil, fmt.Errorf("there is no suite %s", suite)
	}
	configuration := &piondtls.Config{
		RootCAs:              roots,
		ServerName:           "localhost",
		CipherSuites:         []piondtls.CipherSuiteID{id},
		ExtendedMasterSecret: piondtls.RequireExtendedMasterSecret,
		MTU:                  1200,
	}
	if certificate != "" {
		pair, err := tls.LoadX509KeyPair(certificate, key)
		if err != nil {
			return nil, err
		}
		configuration.Certificates = []tls.Certificate{pair}
	}
	return configuration, nil
}

func ask(ctx context.Context, session *client.Conn, wanted request) (*answer, error) {
	sent := session.AcquireMessage(ctx)
	defer session.ReleaseMessage(sent)
	token, err := message.GetToken()
	if err != nil {
		return nil, err
	}
	sent.SetToken(token)
	sent.SetCode(methods[wanted.Method])
	sent.SetType(message.Confirmable)
	if wanted.IsNonConfirmable {
		sent.SetType(message.NonConfirmable)
	}
	if err := sent.SetPath(wanted.Path); err != nil {
		return nil, err
	}
	for _, query := range wanted.Query {
		sent.AddQuery(query)
	}
	if wanted.ContentFormat != nil {
		sent.SetContentFormat(message.MediaType(*wanted.ContentFormat))
	}
	if wanted.Accept != nil {
		sent.SetAccept(message.MediaType(*wanted.Accept))
	}
	if wanted.Payload != nil {
		sent.SetBody(bytes.NewReader(wanted.Payload))
	}
	received, err := session.Do(sent)
	if err != nil {
		return nil, err
	}
	return describe(received)
}

func describe(received *pool.Message) (*answer, error) {
	payload, err := received.ReadBody()
	if err != nil {
		return nil, err
	}
	code := received.Code()
	return &answer{
		Code:          fmt.Sprintf("%d.%02d", code>>5, code&0x1f),
		ContentFormat: uintOption(received, message.ContentFormat),
		MaxAge:        uintOption(received, message.MaxAge),
		Payload:       payload,
	}, nil
}

func uintOption(received *pool.Message, id message.OptionID) *uint32 {
	value, err := received.GetOptionUint32(id)
	if err != nil {
		return nil
	}
	return &value
}
