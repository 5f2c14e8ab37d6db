package main

import (
	"flag"
	"net"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	openapinamer "k8s.io/apiserver/pkg/endpoints/openapi"
	genericapiserver "k8s.io/apiserver/pkg/server"
	genericoptions "k8s.io/apiserver/pkg/server/options"
	"k8s.io/apiserver/pkg/util/compatibility"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"k8s.io/kubernetes/pkg/generated/openapi"
	"sigs.k8s.io/metrics-server/pkg/api"
	"sigs.k8s.io/metrics-server/pkg/scraper/client"
	"sigs.k8s.io/metrics-server/pkg/server"
)

// The server of metrics-server without its command, which does not compile against this Kubernetes and refuses to look more often
// than each ten seconds.
func runMetricsServer() {
	kubeconfig := flag.String("kubeconfig", "", "file that says where the API server is and who we are")
	address := flag.String("address", "127.0.0.1", "address to listen on")
	port := flag.Int("port", 0, "port to listen on")
	certificate := flag.String("tls-cert-file", "", "certificate of the server")
	key := flag.String("tls-private-key-file", "", "its key")
	resolution := flag.Duration("metric-resolution", 5*time.Second, "time between two looks at the nodes")
	flag.Parse()

	kube, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	must(err)
	must(rest.SetKubernetesDefaults(kube))
	kubelet := client.KubeletClientConfig{
		Scheme:              "https",
		UseNodeStatusPort:   true,
		AddressTypePriority: []corev1.NodeAddressType{corev1.NodeInternalIP},
		Client:              *rest.CopyConfig(kube),
	}
	// Nodes made up by kwok have a certificate for another name.
	kubelet.Client.TLSClientConfig.Insecure = true
	kubelet.Client.TLSClientConfig.CAData = nil

	serving := genericoptions.NewSecureServingOptions().WithLoopback()
	serving.BindAddress, serving.BindPort = net.ParseIP(*address), *port
	serving.ServerCert.CertKey = genericoptions.CertKey{CertFile: *certificate, KeyFile: *key}
	complete, err := server.Config{
		Apiserver:        serverConfig(*kubeconfig, serving),
		Rest:             kube,
		Kubelet:          &kubelet,
		MetricResolution: *resolution,
		ScrapeTimeout:    *resolution * 9 / 10,
	}.Complete()
	must(err)
	must(complete.RunUntil(genericapiserver.SetupSignalHandler()))
}

func serverConfig(kubeconfig string, serving *genericoptions.SecureServingOptionsWithLoopback) *genericapiserver.Config {
	config := genericapiserver.NewConfig(api.Codecs)
	config.EffectiveVersion = compatibility.DefaultBuildEffectiveVersion()
	must(serving.ApplyTo(&config.SecureServing, &config.LoopbackClientConfig))
	authentication := genericoptions.NewDelegatingAuthenticationOptions()
	authentication.RemoteKubeConfigFile = kubeconfig
	must(authentication.ApplyTo(&config.Authentication, config.SecureServing, nil))
	authorization := genericoptions.NewDelegatingAuthorizationOptions()
	authorization.RemoteKubeConfigFile = kubeconfig
	must(authorization.ApplyTo(&config.Authorization))

	// Kubernetes' own definitions: those that metrics-server carries have names of before 1.35.
	namer := openapinamer.NewDefinitionNamer(api.Scheme)
	config.OpenAPIConfig = genericapiserver.DefaultOpenAPIConfig(openapi.GetOpenAPIDefinitions, namer)
	config.OpenAPIV3Config = genericapiserver.DefaultOpenAPIV3Config(openapi.GetOpenAPIDefinitions, namer)
	config.OpenAPIConfig.Info.Title = "metrics-server"
	config.OpenAPIV3Config.Info.Title = "metrics-server"
	return config
}

func must(err error) {
	if err != nil {
		klog.ErrorS(err, "metrics-server")
		os.Exit(1)
	}
}
