"""The compact reference model: networks, losses, meta-learning, few-shot fine-tuning."""
