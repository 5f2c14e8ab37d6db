package hpa

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	autoscaling "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
)

// eachLine gives every line of the file CASES to decide and writes its answers to the file RESULTS, a line each.
func eachLine(t *testing.T, decide func(t *testing.T, line []byte) any) {
	in, err := os.Open(os.Getenv("CASES"))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(os.Getenv("RESULTS"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	writer := bufio.NewWriter(out)
	defer writer.Flush()
	encoder := json.NewEncoder(writer)
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		if err := encoder.Encode(decide(t, lines.Bytes())); err != nil {
			t.Fatal(err)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

func TestCalculator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		eachLine(t, func(t *testing.T, line []byte) any {
			var c CalculatorCase
			if err := json.Unmarshal(line, &c); err != nil {
				t.Fatal(err)
			}
			result, err := calculate(c)
			if err != nil {
				return CalculatorResult{Invalid: true}
			}
			return result
		})
	})
}

// tolerances has fields that only its package can set.
func tolerances(up, down float64) (t podautoscaler.Tolerances) {
	fields := (*struct{ scaleDown, scaleUp float64 })(unsafe.Pointer(&t))
	fields.scaleDown, fields.scaleUp = down, up
	return t
}

func calculate(c CalculatorCase) (result CalculatorResult, err error) {
	w := newWorld()
	w.now = time.Now()
	w.metrics = []MetricCase{c.Metric}
	if err := w.setPods(c.Pods); err != nil {
		return result, err
	}
	calculator := podautoscaler.NewReplicaCalculator(w, w.lister(), time.Duration(c.InitMs)*time.Millisecond, time.Duration(c.DelayMs)*time.Millisecond)
	tolerance := tolerances(c.ToleranceUp, c.ToleranceDown)
	selector := labels.SelectorFromSet(podLabels)
	external := &metav1.LabelSelector{}
	m := c.Metric
	switch m.Kind + m.Per {
	case "Utilization":
		var utilization int32
		result.Replicas, utilization, _, _, err = calculator.GetResourceReplicas(context.Background(), c.Current, m.TargetPercent, v1.ResourceName(m.Resource), tolerance, namespace, selector, "")
		result.Usage = int64(utilization)
	case "Usage":
		result.Replicas, result.Usage, _, err = calculator.GetRawResourceReplicas(context.Background(), c.Current, m.TargetMilli, v1.ResourceName(m.Resource), tolerance, namespace, selector, "")
	case "Pods":
		result.Replicas, result.Usage, _, err = calculator.GetMetricReplicas(c.Current, m.TargetMilli, "metric0", tolerance, namespace, selector, selector)
	case "ObjectService":
		result.Replicas, result.Usage, _, err = calculator.GetObjectMetricReplicas(c.Current, m.TargetMilli, "metric0", tolerance, namespace, &autoscaling.CrossVersionObjectReference{}, selector, selector)
	case "ObjectReplica":
		result.Replicas, result.Usage, _, err = calculator.GetObjectPerPodMetricReplicas(c.Status, m.TargetMilli, "metric0", tolerance, namespace, &autoscaling.CrossVersionObjectReference{}, selector)
	case "ExternalService":
		result.Replicas, result.Usage, _, err = calculator.GetExternalMetricReplicas(c.Current, m.TargetMilli, "metric0", tolerance, namespace, external, selector)
	case "ExternalReplica":
		result.Replicas, result.Usage, _, err = calculator.GetExternalPerPodMetricReplicas(c.Status, m.TargetMilli, "metric0", tolerance, namespace, external)
	default:
		err = fmt.Errorf("kind %q per %q", m.Kind, m.Per)
		panic(err)
	}
	return result, err
}
