namespace EventMail.Projections;

/// <summary>The PostgreSQL schema of every read model: dropped and rebuilt at will.</summary>
public static class ProjectionSchema
{
    public const string Name = "projections_v1";
}
