package hpa

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	runtimeutil "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/informers"
	coreinformers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/kubernetes/fake"
	corelisters "k8s.io/client-go/listers/core/v1"
	scalefake "k8s.io/client-go/scale/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
)

const syncPeriod = 15 * time.Second

// The controller reads the wall clock itself; inside a bubble of synctest that clock is ours.
func TestController(t *testing.T) {
	// The stock handlers wait since the last error by the machine's clock, which in the bubble is years ahead.
	runtimeutil.ErrorHandlers = nil
	klog.SetLogger(logr.Discard())
	eachLine(t, func(t *testing.T, line []byte) any {
		var c HistoryCase
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		var results []StepResult
		synctest.Test(t, func(t *testing.T) { results = follow(t, c) })
		return results
	})
}

// podInformer is asked for pods and for nothing else.
type podInformer struct {
	coreinformers.PodInformer
	lister corelisters.PodLister
}

func (p podInformer) Lister() corelisters.PodLister { return p.lister }

// target is the scale subresource that is written to.
type target struct {
	replicas, status int32
	failWrite        bool
}

func (s *target) client() *scalefake.FakeScaleClient {
	client := &scalefake.FakeScaleClient{}
	client.AddReactor("get", "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, &autoscalingv1.Scale{
			ObjectMeta: metav1.ObjectMeta{Name: "target", Namespace: namespace},
			Spec:       autoscalingv1.ScaleSpec{Replicas: s.replicas},
			Status:     autoscalingv1.ScaleStatus{Replicas: s.status, Selector: "app=test"},
		}, nil
	})
	client.AddReactor("update", "deployments", func(action clienttesting.Action) (bool, runtime.Object, error) {
		if s.failWrite {
			return true, nil, errors.New("not today")
		}
		scale := action.(clienttesting.UpdateAction).GetObject().(*autoscalingv1.Scale)
		s.replicas = scale.Spec.Replicas
		return true, scale, nil
	})
	return client
}

func follow(t *testing.T, c HistoryCase) []StepResult {
	ctx, cancel := context.WithCancel(t.Context())
	start := time.Now()
	client := fake.NewSimpleClientset(autoscaler(c))
	factory := informers.NewSharedInformerFactory(client, 0)
	w := newWorld()
	scale := &target{replicas: c.Start}
	mapper := meta.NewDefaultRESTMapper([]schema.GroupVersion{{Group: "apps", Version: "v1"}})
	mapper.Add(schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}, meta.RESTScopeNamespace)
	controller := podautoscaler.NewHorizontalController(
		ctx, client.CoreV1(), scale.client(), client.AutoscalingV2(), mapper, w,
		factory.Autoscaling().V2().HorizontalPodAutoscalers(),
		podInformer{factory.Core().V1().Pods(), w.lister()},
		syncPeriod, time.Duration(c.DownStabilizationSeconds)*time.Second, 0.1, 5*time.Minute, 30*time.Second,
	)
	factory.Start(ctx.Done())
	done := make(chan struct{})
	go func() {
		defer close(done)
		controller.Run(ctx, 1)
	}()
	if !cache.WaitForCacheSync(ctx.Done(), factory.Core().V1().Pods().Informer().HasSynced) {
		t.Fatal("no sync")
	}
	synctest.Wait()

	// The first sync is one period after the start; looked at and prepared between two of them.
	results := make([]StepResult, 0, len(c.Steps))
	time.Sleep(syncPeriod / 2)
	for i, step := range c.Steps {
		w.now = start.Add(time.Duration(i+1) * syncPeriod)
		w.metrics, w.unreadable = step.Metrics, step.Unreadable
		if err := w.setPods(step.Pods); err != nil {
			t.Fatal(err)
		}
		if step.SetTo != nil {
			scale.replicas = *step.SetTo
		}
		scale.status, scale.failWrite = step.Status, step.FailWrite
		time.Sleep(syncPeriod)
		synctest.Wait()
		hpa, err := client.AutoscalingV2().HorizontalPodAutoscalers(namespace).Get(ctx, "test", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		result := StepResult{Replicas: scale.replicas}
		for _, condition := range hpa.Status.Conditions {
			result.Conditions = append(result.Conditions, ConditionResult{
				Type:    string(condition.Type),
				Status:  string(condition.Status),
				Reason:  condition.Reason,
				SinceMs: condition.LastTransitionTime.Sub(start).Milliseconds(),
			})
		}
		results = append(results, result)
	}
	cancel()
	<-done
	factory.Shutdown()
	// The last timers of the broadcaster and the queue.
	time.Sleep(time.Minute)
	return results
}

func autoscaler(c HistoryCase) *autoscaling.HorizontalPodAutoscaler {
	hpa := &autoscaling.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "test", Namespace: namespace},
		Spec: autoscaling.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscaling.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "target"},
			MinReplicas:    &c.MinReplicas,
			MaxReplicas:    c.MaxReplicas,
		},
	}
	if c.Behavior != nil {
		hpa.Spec.Behavior = &autoscaling.HorizontalPodAutoscalerBehavior{ScaleUp: rules(c.Behavior.ScaleUp), ScaleDown: rules(c.Behavior.ScaleDown)}
	}
	for i, m := range c.Steps[0].Metrics {
		hpa.Spec.Metrics = append(hpa.Spec.Metrics, metricSpec(i, m))
	}
	return hpa
}

func rules(c RulesCase) *autoscaling.HPAScalingRules {
	selectPolicy := autoscaling.ScalingPolicySelect(c.SelectPolicy)
	out := &autoscaling.HPAScalingRules{StabilizationWindowSeconds: c.StabilizationWindowSeconds, SelectPolicy: &selectPolicy}
	for _, p := range c.Policies {
		out.Policies = append(out.Policies, autoscaling.HPAScalingPolicy{Type: autoscaling.HPAScalingPolicyType(p.Type), Value: p.Value, PeriodSeconds: p.PeriodSeconds})
	}
	if c.ToleranceMilli != nil {
		out.Tolerance = resource.NewMilliQuantity(*c.ToleranceMilli, resource.DecimalSI)
	}
	return out
}

func metricSpec(index int, m MetricCase) autoscaling.MetricSpec {
	name := autoscaling.MetricIdentifier{Name: fmt.Sprintf("metric%d", index)}
	value := resource.NewMilliQuantity(m.TargetMilli, resource.DecimalSI)
	target := autoscaling.MetricTarget{Type: autoscaling.AverageValueMetricType, AverageValue: value}
	if m.Per == "Service" {
		target = autoscaling.MetricTarget{Type: autoscaling.ValueMetricType, Value: value}
	}
	switch m.Kind {
	case "Utilization":
		target = autoscaling.MetricTarget{Type: autoscaling.UtilizationMetricType, AverageUtilization: &m.TargetPercent}
		fallthrough
	case "Usage":
		return autoscaling.MetricSpec{Type: autoscaling.ResourceMetricSourceType, Resource: &autoscaling.ResourceMetricSource{Name: v1.ResourceName(m.Resource), Target: target}}
	case "Pods":
		return autoscaling.MetricSpec{Type: autoscaling.PodsMetricSourceType, Pods: &autoscaling.PodsMetricSource{Metric: name, Target: target}}
	case "Object":
		return autoscaling.MetricSpec{Type: autoscaling.ObjectMetricSourceType, Object: &autoscaling.ObjectMetricSource{Metric: name, Target: target}}
	case "External":
		return autoscaling.MetricSpec{Type: autoscaling.ExternalMetricSourceType, External: &autoscaling.ExternalMetricSource{Metric: name, Target: target}}
	}
	panic(m.Kind)
}
