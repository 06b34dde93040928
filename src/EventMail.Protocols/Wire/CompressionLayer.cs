using System.IO.Pipelines;

namespace EventMail.Protocols.Wire;

/// <summary>The two directions of a deflated connection, and what is below them.</summary>
internal sealed class CompressionLayer
{
    private readonly PipeReader _below;
    private readonly InflateStream _inflate;

    public CompressionLayer(PipeReader input, PipeWriter output)
    {
        (_below, PlainOutput) = (input, output);
        _inflate = new(input);
        Output = new(output);
        // Zero-byte reads: no buffer is rented while the client is silent.
        Input = PipeReader.Create(
            _inflate, new StreamPipeReaderOptions(bufferSize: 4096, minimumReadSize: 1024, leaveOpen: true, useZeroByteReads: true));
    }

    public PipeReader Input { get; }

    public DeflateWriter Output { get; }

    public PipeReader PlainInput => _below;

    public PipeWriter PlainOutput { get; }

    public bool HoldsState => Output.HoldsState || _inflate.HoldsState;

    /// <summary>The client sent what is not deflate, or ended its stream.</summary>
    public bool IsInputOver => _inflate.IsOver;

    public void Release()
    {
        Output.Release();
        _inflate.Release();
    }

    /// <summary>Takes the layer off. False when the client sent more through it than the session has read.</summary>
    public bool End()
    {
        var isEmpty = (!Input.TryRead(out var left) || left.Buffer.IsEmpty) && _inflate.TakeEnd();
        Input.Complete();
        _inflate.Dispose();
        Output.End();
        return isEmpty;
    }
}
