package hpa

// PodCase is one pod as the autoscaler sees it.
type PodCase struct {
	Name     string `json:"name"`
	Phase    string `json:"phase"`
	Deleting bool   `json:"deleting"`
	Ready    *struct {
		Status  string `json:"status"`
		SinceMs int64  `json:"sinceMs"`
	} `json:"ready"`
	StartedAtMs  *int64 `json:"startedAtMs"`
	RequestMilli *int64 `json:"requestMilli"`
}

// SampleCase is one pod's measurement.
type SampleCase struct {
	Name     string `json:"name"`
	Milli    int64  `json:"milli"`
	AtMs     int64  `json:"atMs"`
	WindowMs int64  `json:"windowMs"`
}

// MetricCase is one metric with its target and what it stands at.
type MetricCase struct {
	Kind          string       `json:"kind"`
	Per           string       `json:"per"`
	Resource      string       `json:"resource"`
	TargetPercent int32        `json:"targetPercent"`
	TargetMilli   int64        `json:"targetMilli"`
	Samples       []SampleCase `json:"samples"`
	Series        []int64      `json:"series"`
}

// CalculatorCase is one call of the replica calculator.
type CalculatorCase struct {
	Metric        MetricCase `json:"metric"`
	Pods          []PodCase  `json:"pods"`
	Current       int32      `json:"current"`
	Status        int32      `json:"status"`
	ToleranceUp   float64    `json:"toleranceUp"`
	ToleranceDown float64    `json:"toleranceDown"`
	InitMs        int64      `json:"initMs"`
	DelayMs       int64      `json:"delayMs"`
}

// CalculatorResult is its answer; Invalid when it was an error.
type CalculatorResult struct {
	Invalid  bool  `json:"invalid"`
	Replicas int32 `json:"replicas"`
	Usage    int64 `json:"usage"`
}

// RulesCase is one direction of `behavior`.
type RulesCase struct {
	StabilizationWindowSeconds *int32 `json:"stabilizationWindowSeconds"`
	SelectPolicy               string `json:"selectPolicy"`
	Policies                   []struct {
		Type          string `json:"type"`
		Value         int32  `json:"value"`
		PeriodSeconds int32  `json:"periodSeconds"`
	} `json:"policies"`
	// In thousandths.
	ToleranceMilli *int64 `json:"toleranceMilli"`
}

// HistoryCase is one autoscaler followed over several syncs, 15 s apart.
type HistoryCase struct {
	MinReplicas int32 `json:"minReplicas"`
	MaxReplicas int32 `json:"maxReplicas"`
	Start       int32 `json:"start"`
	Behavior    *struct {
		ScaleUp   RulesCase `json:"scaleUp"`
		ScaleDown RulesCase `json:"scaleDown"`
	} `json:"behavior"`
	DownStabilizationSeconds int64         `json:"downStabilizationSeconds"`
	Steps                    []HistoryStep `json:"steps"`
}

// HistoryStep is what one sync finds. Metrics keep their kind and target over a history; Unreadable ones fail to be read.
type HistoryStep struct {
	// SetTo is somebody else's hand on the scale, before the sync.
	SetTo  *int32 `json:"setTo"`
	Status int32  `json:"status"`
	// FailWrite lets the update of the scale fail.
	FailWrite  bool         `json:"failWrite"`
	Pods       []PodCase    `json:"pods"`
	Metrics    []MetricCase `json:"metrics"`
	Unreadable []bool       `json:"unreadable"`
}

// StepResult is what one sync left behind.
type StepResult struct {
	Replicas   int32             `json:"replicas"`
	Conditions []ConditionResult `json:"conditions"`
}

// ConditionResult is one condition; SinceMs counts from the start of the history.
type ConditionResult struct {
	Type    string `json:"type"`
	Status  string `json:"status"`
	Reason  string `json:"reason"`
	SinceMs int64  `json:"sinceMs"`
}
