package mongo

import (
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/mongo"

	"sharpie/persistence"
)

// Codes of errors that the server returns.
const (
	codeOverflow            = 15 // nested too deeply
	codeNamespaceExists     = 48
	codeIndexOptions        = 85
	codeIndexKeys           = 86
	codeValidation          = 121
	codeObjectTooLarge      = 10334
	codeKeyTooLong          = 17280
	codeBSONTooLargeOnWrite = 17419
)

// wrap gives an error of the driver the contract's meaning; nil stays nil.
func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, explain(err))
}

func explain(err error) error {
	switch {
	case errors.Is(err, persistence.ErrNotFound), errors.Is(err, persistence.ErrConflict),
		errors.Is(err, persistence.ErrInvalid), errors.Is(err, persistence.ErrUnavailable):
		return err
	case errors.Is(err, mongo.ErrNoDocuments):
		return persistence.ErrNotFound
	case mongo.IsDuplicateKeyError(err):
		return fmt.Errorf("%w: %w", persistence.ErrConflict, err)
	case hasCode(err, codeValidation, codeObjectTooLarge, codeBSONTooLargeOnWrite, codeKeyTooLong, codeOverflow):
		return fmt.Errorf("%w: %w", persistence.ErrInvalid, err)
	}
	// time-outs, lost connections, elections, missing rights: none is the
	// caller's fault, and each may pass.
	return fmt.Errorf("%w: %w", persistence.ErrUnavailable, err)
}

func hasCode(err error, codes ...int) bool {
	var e mongo.ServerError
	if !errors.As(err, &e) {
		return false
	}
	for _, c := range codes {
		if e.HasErrorCode(c) {
			return true
		}
	}
	return false
}
