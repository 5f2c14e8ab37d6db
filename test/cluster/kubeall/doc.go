// Command kubeall is every program of the Kubernetes that tests run against, in one file: linked once, it takes a third of the
// time and room that eight of them take. The name it is called by says which one it is.
package main
