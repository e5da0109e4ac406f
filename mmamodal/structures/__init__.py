"""Arrays only: masks, patches, occlusion."""
