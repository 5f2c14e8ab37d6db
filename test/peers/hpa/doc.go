// Package hpa lets Kubernetes' own horizontal pod autoscaler decide cases that Towline's tests made, so that both can be
// compared. Times in a case are milliseconds from the moment of the decision.
package hpa
