package hpa

import (
	"context"
	"errors"
	"time"

	autoscaling "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
)

const namespace = "test"

var podLabels = map[string]string{"app": "test"}

// world is what the autoscaler looks at: pods and measurements, as of one moment.
type world struct {
	now        time.Time
	indexer    cache.Indexer
	metrics    []MetricCase
	unreadable []bool
}

func newWorld() *world {
	return &world{indexer: cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})}
}

func (w *world) lister() corelisters.PodLister { return corelisters.NewPodLister(w.indexer) }

func (w *world) at(ms int64) time.Time { return w.now.Add(time.Duration(ms) * time.Millisecond) }

func (w *world) setPods(cases []PodCase) error {
	pods := make([]any, 0, len(cases))
	for _, c := range cases {
		pods = append(pods, w.pod(c))
	}
	return w.indexer.Replace(pods, "")
}

func (w *world) pod(c PodCase) *v1.Pod {
	container := v1.Container{Name: "main"}
	if c.RequestMilli != nil {
		quantity := *resource.NewMilliQuantity(*c.RequestMilli, resource.DecimalSI)
		container.Resources.Requests = v1.ResourceList{v1.ResourceCPU: quantity, v1.ResourceMemory: quantity}
	}
	pod := &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: c.Name, Namespace: namespace, Labels: podLabels},
		Spec:       v1.PodSpec{Containers: []v1.Container{container}},
		Status:     v1.PodStatus{Phase: v1.PodPhase(c.Phase)},
	}
	if c.Deleting {
		pod.DeletionTimestamp = &metav1.Time{Time: w.now}
	}
	if c.StartedAtMs != nil {
		pod.Status.StartTime = &metav1.Time{Time: w.at(*c.StartedAtMs)}
	}
	if c.Ready != nil {
		pod.Status.Conditions = []v1.PodCondition{{
			Type:               v1.PodReady,
			Status:             v1.ConditionStatus(c.Ready.Status),
			LastTransitionTime: metav1.Time{Time: w.at(c.Ready.SinceMs)},
		}}
	}
	return pod
}

// metric finds a metric by the number at the end of its name.
func (w *world) metric(name string) (MetricCase, error) {
	index := int(name[len(name)-1] - '0')
	if w.unreadable != nil && w.unreadable[index] {
		return MetricCase{}, errors.New("unreadable")
	}
	return w.metrics[index], nil
}

func (w *world) samples(cases []SampleCase) metrics.PodMetricsInfo {
	info := metrics.PodMetricsInfo{}
	for _, c := range cases {
		info[c.Name] = metrics.PodMetric{Timestamp: w.at(c.AtMs), Window: time.Duration(c.WindowMs) * time.Millisecond, Value: c.Milli}
	}
	return info
}

// A resource metric has no name of its own: of each resource there is one at most.
func (w *world) GetResourceMetric(_ context.Context, name v1.ResourceName, _ string, _ labels.Selector, _ string) (metrics.PodMetricsInfo, time.Time, error) {
	for i, c := range w.metrics {
		if c.Resource == string(name) && (c.Kind == "Utilization" || c.Kind == "Usage") {
			if w.unreadable != nil && w.unreadable[i] {
				return nil, time.Time{}, errors.New("unreadable")
			}
			return w.samples(c.Samples), w.now, nil
		}
	}
	return nil, time.Time{}, errors.New("no such metric")
}

func (w *world) GetRawMetric(name string, _ string, _ labels.Selector, _ labels.Selector) (metrics.PodMetricsInfo, time.Time, error) {
	c, err := w.metric(name)
	if err != nil {
		return nil, time.Time{}, err
	}
	return w.samples(c.Samples), w.now, nil
}

func (w *world) GetObjectMetric(name string, _ string, _ *autoscaling.CrossVersionObjectReference, _ labels.Selector) (int64, time.Time, error) {
	c, err := w.metric(name)
	if err != nil {
		return 0, time.Time{}, err
	}
	if len(c.Series) == 0 {
		return 0, time.Time{}, errors.New("no data")
	}
	return c.Series[0], w.now, nil
}

// As the real client: no series is an error.
func (w *world) GetExternalMetric(name string, _ string, _ labels.Selector) ([]int64, time.Time, error) {
	c, err := w.metric(name)
	if err != nil {
		return nil, time.Time{}, err
	}
	if len(c.Series) == 0 {
		return nil, time.Time{}, errors.New("no metrics returned from external metrics API")
	}
	return c.Series, w.now, nil
}
