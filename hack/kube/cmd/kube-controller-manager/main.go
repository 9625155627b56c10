// SPDX-License-Identifier: Apache-2.0

// The controllers of Kubernetes, for the tests: garbage collection, EndpointSlices and the others.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

func main() {
	os.Exit(cli.Run(app.NewControllerManagerCommand()))
}
