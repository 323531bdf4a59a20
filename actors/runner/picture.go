package runner

import (
	"sharpie/actors/frames"
	"sharpie/actors/messages"
	"sharpie/envs"
)

// draw draws the state; the frame is empty where there is no picture.
func (l *loop) draw() (envs.Frame, error) {
	if l.host == nil && (l.plan.spec.Width == 0 || l.plan.spec.Height == 0) {
		return envs.Frame{}, nil
	}
	frame, err := l.env.Render(l.ctx)
	if err != nil {
		return envs.Frame{}, l.fail(phaseRender, -1, err)
	}
	return frame, nil
}

// encode makes the picture of a frame, and is done with it. It returns nil for an
// unchanged picture, for none, and for one that takes long: that is encoded beside
// the loop, once the step is reported, and follows in Pictured.
func (l *loop) encode(frame envs.Frame) (*messages.Picture, error) {
	if frame.Empty() {
		return nil, nil
	}
	if l.pipeline != nil {
		l.late = frame
		return nil, l.pictureError()
	}
	codec, data, changed, err := l.encoder.Encode(frame)
	if err != nil {
		return nil, l.fail(phaseRender, -1, err)
	}
	if l.encoder.Slow() {
		l.pipeline = frames.NewPipeline(l.encoder, l.pictured)
	}
	if !changed {
		return nil, nil
	}
	l.countPicture(codec)
	return &messages.Picture{Codec: codec, Data: data, Width: uint32(frame.Width), Height: uint32(frame.Height), Step: l.step}, nil
}

// encodeLate hands the picture of the step just reported to the pipeline.
func (l *loop) encodeLate() {
	if l.late.Empty() {
		return
	}
	l.pipeline.Put(l.late, l.step)
	l.late.RGB, l.late.Index = nil, nil
}

// pictured reports a picture of the pipeline; it runs in the pipeline's goroutine.
func (l *loop) pictured(e frames.Encoded) {
	if e.Err != nil {
		l.pictureErr.Store(&e.Err)
		return
	}
	l.countPicture(e.Codec)
	l.out.picture(&messages.Picture{
		Codec: e.Codec, Data: e.Data, Width: uint32(e.Width), Height: uint32(e.Height), Step: e.Step,
	})
}

func (l *loop) pictureError() error {
	err := l.pictureErr.Load()
	if err == nil {
		return nil
	}
	return l.fail(phaseRender, -1, *err)
}

// lastPicture waits until the picture of the last step has been reported.
func (l *loop) lastPicture() error {
	if l.pipeline == nil {
		return nil
	}
	l.watch.enter(phaseRender, -1)
	l.pipeline.Wait()
	l.watch.idle()
	return l.pictureError()
}

func (l *loop) countPicture(c messages.Codec) {
	if c == messages.Codec_CODEC_PNG {
		l.cfg.Metrics.png.Inc()
		return
	}
	l.cfg.Metrics.jpeg.Inc()
}
